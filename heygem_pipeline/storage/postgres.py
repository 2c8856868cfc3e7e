"""Tables of the pipeline's own in a cluster's PostgreSQL, each made by whoever asks for it first."""

import os
from contextlib import AbstractContextManager
from functools import cache

import sqlalchemy as db

ONE_AT_A_TIME = db.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
"""Held until the transaction ends; also where there is no row yet that could be locked."""


def transaction(database: str, table: db.Table) -> AbstractContextManager[db.Connection]:
    """All of the block or nothing of it; the table is there."""
    return _engine_with(database, table, os.getpid()).begin()


@cache
def _engine_with(database: str, table: db.Table, process: int) -> db.Engine:
    engine = _engine(database, process)
    with engine.begin() as connection:
        connection.execute(ONE_AT_A_TIME, {"name": str(table.name)})
        table.create(connection, checkfirst=True)
    return engine


@cache
def _engine(database: str, _process: int) -> db.Engine:
    """One for each process: a fork must not speak on its parent's connections."""
    return db.create_engine(database, pool_size=1, max_overflow=20, pool_pre_ping=True)
