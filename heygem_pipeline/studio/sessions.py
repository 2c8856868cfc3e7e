"""The sessions of those who have logged in: what a cookie says, and which ones have ended."""

import hashlib
import hmac
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from time import time

from heygem_pipeline.storage.atomic import atomic_path

COOKIE = "heygem_studio"
SECONDS = 7 * 24 * 3600


@dataclass(frozen=True)
class Sessions:
    """users: name -> hash of the password. secret: of this data folder. file: where ended sessions stay ended."""

    users: Mapping[str, str]
    secret: bytes
    file: Path | None = None
    _ended: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file is not None and self.file.is_file():
            for line in self.file.read_text("utf-8", "replace").splitlines():
                signature, _, until = line.partition(" ")
                if until.isdigit():
                    self._ended[signature] = int(until)

    def begin(self, user: str) -> str:
        """The cookie's value."""
        name = urlsafe_b64encode(user.encode()).decode()
        said = f"{name}.{int(time()) + SECONDS}.{secrets.token_hex(8)}"
        return f"{said}.{self._signature(said, user)}"

    def end(self, cookie: str) -> None:
        """The cookie opens nothing any more, wherever a copy of it lies."""
        if self.user_of(cookie) is None:
            return
        now = time()
        for signature in [ended for ended, until in self._ended.items() if until < now]:
            del self._ended[signature]
        said, _, signature = cookie.rpartition(".")
        self._ended[signature] = int(said.split(".")[1])
        if self.file is not None:
            with atomic_path(self.file) as temporary:
                temporary.write_text("".join(f"{one} {until}\n" for one, until in self._ended.items()), "utf-8")

    def user_of(self, cookie: str) -> str | None:
        """Whom the cookie names; None where it is not ours, ended, too old, or of a password that has changed."""
        said, _, signature = cookie.rpartition(".")
        name, _, rest = said.partition(".")
        until = rest.partition(".")[0]
        try:
            user = urlsafe_b64decode(name).decode()
            in_time = int(until) > time()
        except (Error, ValueError):
            return None
        known = user in self.users and hmac.compare_digest(signature.encode(), self._signature(said, user).encode())
        return user if known and in_time and signature not in self._ended else None

    def _signature(self, said: str, user: str) -> str:
        return hmac.new(self.secret + self.users[user].encode(), said.encode(), hashlib.sha256).hexdigest()


SECRET_BYTES = 32


def secret_of(path: Path) -> bytes:
    """The secret in this file, which only its owner may read; made where there is none."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        secret = path.read_bytes()
        if len(secret) >= SECRET_BYTES:
            return secret
        # Cut off, it would be easy to guess; with another everybody logs in once more.
        path.unlink(missing_ok=True)
        return secret_of(path)
    with os.fdopen(descriptor, "wb") as file:
        made = secrets.token_bytes(SECRET_BYTES)
        file.write(made)
    return made
