"""Passwords of those who may log in: as they are stored, and whether one is right."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

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
