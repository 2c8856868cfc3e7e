"""Tokens, one a program, by which programs may use ``/api/v1``: ``state/tokens.json`` holds only their digests."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import time
from typing import Any

from filelock import FileLock

from heygem_pipeline.errors import TokenRefused
from heygem_pipeline.storage.atomic import write_private
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.storage.state_file import read_state

PREFIX = "heygem_"
"""By which programs that look for secrets in files know ours."""

BYTES = 32
"""Nobody guesses so many, which is why a plain digest is enough and no slow one is needed."""

LONGEST_NAME = 80

SCHEME = "bearer"


@dataclass(frozen=True)
class Token:
    """What is kept of one. digest: SHA-256 in hexadecimal digits. made: POSIX time."""

    digest: str
    made: float


@dataclass(frozen=True)
class Tokens:
    """The tokens of a data folder. What a command makes or withdraws counts at the next request."""

    folders: DataFolders

    def known(self) -> dict[str, Token]:
        """Program -> what is kept of its token, in order of name."""
        return read_state(self._file, _understood, {})

    def create(self, program: str) -> str:
        """The token of a program, which is told this once. Raises TokenRefused."""
        if not program.strip() or len(program) > LONGEST_NAME or not program.isprintable():
            raise TokenRefused("token.name")
        token = PREFIX + secrets.token_urlsafe(BYTES)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self._file}.lock"):
            known = self.known()
            if program in known:
                raise TokenRefused("token.taken", name=program)
            self._write(known | {program: Token(_digest(token), time())})
        return token

    def withdraw(self, program: str) -> None:
        """Its token opens nothing any more. Raises TokenRefused."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self._file}.lock"):
            known = self.known()
            if known.pop(program, None) is None:
                raise TokenRefused("token.unknown", name=program)
            self._write(known)

    def program_of(self, token: str) -> str | None:
        """Whose token it is; None where it is nobody's. All are compared, and each takes as long as another."""
        digest = _digest(token)
        found = None
        for program, kept in self.known().items():
            if hmac.compare_digest(kept.digest, digest):
                found = program
        return found

    @property
    def _file(self) -> Path:
        return self.folders.state / "tokens.json"

    def _write(self, tokens: Mapping[str, Token]) -> None:
        stored = {program: asdict(tokens[program]) for program in sorted(tokens)}
        write_private(self._file, json.dumps(stored, ensure_ascii=False, indent=1))


def _understood(stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Token]:
    return {program: Token(str(kept["digest"]), float(kept["made"])) for program, kept in stored.items()}


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def token_in(authorization: str) -> str | None:
    """The token in an Authorization header; None where it holds none of ours to be."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == SCHEME else None
