"""All that a cluster's PostgreSQL holds, in one file, and back again, by PostgreSQL's own programs."""

import os
import subprocess
from pathlib import Path

import sqlalchemy as db
from sqlalchemy.exc import SQLAlchemyError

from heygem_pipeline.errors import BackupFailed, OutputRefused
from heygem_pipeline.runs.cluster_access import unreachable

EMPTY_TABLES = ("alembic_version", "secondary_indexes", "instance_info", "daemon_heartbeats", "concurrency_limits")
"""Dagster writes into these as soon as it opens a new database."""

LONGEST_REASON = 300
"""Characters."""


def dump_database(address: str, destination: Path) -> None:
    """Write the database as it is at one moment. Raises BackupFailed."""
    _run("pg_dump", address, "--format=custom", f"--file={destination}")


def load_database(address: str, dump: Path) -> None:
    """Put back what ``dump_database`` wrote: all of it or nothing. Raises BackupFailed."""
    _run("pg_restore", address, "--single-transaction", "--exit-on-error", "--clean", "--if-exists", "--no-owner", dump)


def require_empty_database(address: str) -> None:
    """Raise OutputRefused where anything was recorded in it, ClusterUnusable where it does not answer."""
    engine = db.create_engine(address, poolclass=db.NullPool)
    try:
        with engine.connect() as connection:
            for table in db.inspect(connection).get_table_names():
                used = db.select(db.exists().select_from(db.table(table)))
                if table not in EMPTY_TABLES and connection.execute(used).scalar():
                    raise OutputRefused("backup.database_not_empty", database=str(engine.url.database))
    except SQLAlchemyError as error:
        raise unreachable(error) from error


def _run(program: str, address: str, *arguments: str | Path) -> None:
    url = db.make_url(address).set(drivername="postgresql")
    password = {"PGPASSWORD": str(url.password)} if url.password is not None else {}
    # Whoever lists the processes of this machine sees their arguments.
    target = url.set(password=None).render_as_string(hide_password=False)
    command = [program, "--no-password", f"--dbname={target}", *map(str, arguments)]
    try:
        done = subprocess.run(command, env=os.environ | password, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise BackupFailed("backup.no_postgres_programs", program=program) from error
    if done.returncode:
        raise _failed(done.stderr)


def _failed(said: str) -> BackupFailed:
    lines = said.strip().splitlines() or [""]
    return BackupFailed("backup.database_failed", reason=lines[0][:LONGEST_REASON])
