"""Who is logged in: a signed cookie, good for a week, worthless once the user's password is another."""

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import time

COOKIE = "heygem_studio"
SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Sessions:
    """users: name -> hash of the password. secret: of this data folder."""

    users: Mapping[str, str]
    secret: bytes

    def begin(self, user: str) -> str:
        """The cookie's value."""
        said = f"{urlsafe_b64encode(user.encode()).decode()}.{int(time()) + SECONDS}"
        return f"{said}.{self._signature(said, user)}"

    def user_of(self, cookie: str) -> str | None:
        """ErasureTarget the cookie names; None where it is not ours, too old, or of a password that has changed."""
        said, _, signature = cookie.rpartition(".")
        name, _, until = said.partition(".")
        try:
            user = urlsafe_b64decode(name).decode()
            in_time = int(until) > time()
        except (Error, ValueError):
            return None
        known = user in self.users and hmac.compare_digest(signature.encode(), self._signature(said, user).encode())
        return user if known and in_time else None

    def _signature(self, said: str, user: str) -> str:
        return hmac.new(self.secret + self.users[user].encode(), said.encode(), hashlib.sha256).hexdigest()


def secret_of(path: Path) -> bytes:
    """The secret in this file, which only its owner may read; made where there is none."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(descriptor, "wb") as file:
        made = secrets.token_bytes(32)
        file.write(made)
    return made
