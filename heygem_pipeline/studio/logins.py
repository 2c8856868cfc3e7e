"""Who may log in: passwords as they are stored, and the sessions of those who did."""

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

from heygem_pipeline.errors import NotReady

LOG_N, BLOCK, PARALLEL = 15, 8, 1
"""32 MB and some 80 ms a guess."""

_MEMORY = 2**26


def user_line(name: str, password: str) -> str:
    """The line of HEYGEM_STUDIO_USERS that lets this user in. Raises NotReady for a name that cannot stand there."""
    if not name or not name.isprintable() or any(sign in name for sign in " :\"$\\'"):
        raise NotReady("studio.user_name")
    salt = secrets.token_bytes(16)
    digest = _scrypt(password, salt, LOG_N, BLOCK, PARALLEL)
    return f"{name}:scrypt.{LOG_N}.{BLOCK}.{PARALLEL}.{_text(salt)}.{_text(digest)}"


def read_users(lines: str) -> dict[str, str]:
    """Return name -> hash. Raises NotReady where a line is none that ``user_line`` made."""
    users = {}
    for line in lines.split():
        name, _, stored = line.partition(":")
        if not name or stored.count(".") != 5 or not stored.startswith("scrypt."):
            raise NotReady("studio.users_unreadable")
        users[name] = stored
    return users


def is_right(password: str, stored: str) -> bool:
    """Is it the password of this hash? Takes as long whatever the answer is."""
    _, log_n, block, parallel, salt, digest = stored.split(".")
    tried = _scrypt(password, _bytes(salt), int(log_n), int(block), int(parallel))
    return hmac.compare_digest(tried, _bytes(digest))


def _scrypt(password: str, salt: bytes, log_n: int, block: int, parallel: int) -> bytes:
    secret = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(secret, salt=salt, n=2**log_n, r=block, p=parallel, maxmem=_MEMORY, dklen=32)


def _text(value: bytes) -> str:
    return urlsafe_b64encode(value).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


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
