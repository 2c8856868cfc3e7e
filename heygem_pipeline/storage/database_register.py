"""Registers as rows of a cluster's PostgreSQL, each changed in a transaction."""

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from time import strftime
from typing import Any, TypeVar

import sqlalchemy as db

from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.postgres import ONE_AT_A_TIME, transaction
from heygem_pipeline.storage.state_file import NOT_READABLE

T = TypeVar("T")

TABLE = db.Table(
    "heygem_registers",
    db.MetaData(),
    db.Column("name", db.Text, primary_key=True),
    db.Column("content", db.Text, nullable=False),
    db.Column("changes", db.BigInteger, nullable=False),
)


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

    def put(self, content: object) -> None:
        """As ``Register`` says."""
        with self.changing() as write:
            write(content)

    def remove(self) -> None:
        """As ``Register`` says."""
        with self._connection() as connection:
            connection.execute(TABLE.delete().where(TABLE.c.name == self.name))

    @property
    def mark(self) -> tuple[str, int, int] | None:
        """As ``Register`` says."""
        with self._connection() as connection:
            changes = connection.execute(db.select(TABLE.c.changes).where(TABLE.c.name == self.name)).scalar()
        return None if changes is None else (self.name, changes, 0)

    @staticmethod
    def marks(database: str, beginning: str) -> list[tuple[str, int, int]]:
        """Of all registers whose names begin so."""
        names = TABLE.c.name.startswith(beginning, autoescape=True)
        with transaction(database, TABLE) as connection:
            rows = connection.execute(db.select(TABLE.c.name, TABLE.c.changes).where(names).order_by(TABLE.c.name))
            return [(name, changes, 0) for name, changes in rows]

    def _connection(self) -> AbstractContextManager[db.Connection]:
        """A transaction: all of the block or nothing of it."""
        return transaction(self.database, TABLE)

    def _set_aside(self, content: str) -> None:
        aside = f"{self.name}.damaged-{strftime('%Y%m%d-%H%M%S')}"
        with self._connection() as connection:
            same = (TABLE.c.name == self.name) & (TABLE.c.content == content)
            # Another process may have set it aside already, and written a good one.
            if connection.execute(TABLE.update().where(same).values(name=aside)).rowcount:
                message = Message("state.set_aside", file=self.name, aside=aside)
                logging.getLogger(__name__).warning("%s", message)
