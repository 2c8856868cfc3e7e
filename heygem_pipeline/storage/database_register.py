"""Registers as rows of a cluster's PostgreSQL, each changed in a transaction."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from time import strftime
from typing import Any, TypeVar

import sqlalchemy as db

from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.state_file import NOT_READABLE

T = TypeVar("T")

TABLE = db.Table(
    "heygem_registers",
    db.MetaData(),
    db.Column("name", db.Text, primary_key=True),
    db.Column("content", db.Text, nullable=False),
    db.Column("changes", db.BigInteger, nullable=False),
)

ONE_AT_A_TIME = db.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
"""Held until the transaction ends; also where there is no row yet that could be locked."""


@dataclass(frozen=True)
class DatabaseRegister:
    """A row. name: such as ``uploads``."""

    database: str = field(repr=False)
    name: str

    def read(self, understand: Callable[[Any], T], nothing: T) -> T:
        """As ``Register`` says."""
        with self._connection() as connection:
            content = connection.execute(db.select(TABLE.c.content).where(TABLE.c.name == self.name)).scalar()
        if content is None:
            return nothing
        try:
            return understand(json.loads(content))
        except NOT_READABLE:
            self._set_aside(content)
            return nothing

    @contextmanager
    def changing(self) -> Iterator[Callable[[object], None]]:
        """As ``Register`` says."""
        with self._connection() as connection:
            connection.execute(ONE_AT_A_TIME, {"name": f"{TABLE.name} {self.name}"})

            def write(content: object) -> None:
                text = json.dumps(content)
                row = TABLE.c.name == self.name
                changed = TABLE.update().where(row).values(content=text, changes=TABLE.c.changes + 1)
                if connection.execute(changed).rowcount == 0:
                    connection.execute(TABLE.insert().values(name=self.name, content=text, changes=1))

            yield write

    @property
    def mark(self) -> tuple[str, int, int] | None:
        """As ``Register`` says."""
        with self._connection() as connection:
            changes = connection.execute(db.select(TABLE.c.changes).where(TABLE.c.name == self.name)).scalar()
        return None if changes is None else (self.name, changes, 0)

    def _connection(self) -> AbstractContextManager[db.Connection]:
        """A transaction: all of the block or nothing of it."""
        return _engine(self.database, os.getpid()).begin()

    def _set_aside(self, content: str) -> None:
        aside = f"{self.name}.damaged-{strftime('%Y%m%d-%H%M%S')}"
        with self._connection() as connection:
            same = (TABLE.c.name == self.name) & (TABLE.c.content == content)
            # Another process may have set it aside already, and written a good one.
            if connection.execute(TABLE.update().where(same).values(name=aside)).rowcount:
                message = Message("state.set_aside", file=self.name, aside=aside)
                logging.getLogger(__name__).warning("%s", message)


@cache
def _engine(database: str, _process: int) -> db.Engine:
    """One for each process: a fork must not speak on its parent's connections."""
    engine = db.create_engine(database, pool_size=1, max_overflow=20, pool_pre_ping=True)
    with engine.begin() as connection:
        connection.execute(ONE_AT_A_TIME, {"name": str(TABLE.name)})
        TABLE.create(connection, checkfirst=True)
    return engine
