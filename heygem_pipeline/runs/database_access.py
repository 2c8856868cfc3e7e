"""Whether the PostgreSQL of a cluster can be reached, asked before Dagster is told to use it."""

import sqlalchemy as db
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from heygem_pipeline.errors import ClusterUnusable

LONGEST_REASON = 300
"""Characters."""


def require_database(address: str) -> None:
    """Raise ClusterUnusable where it does not answer, or the extra ``cluster`` is not installed."""
    try:
        db.create_engine(address, poolclass=db.NullPool).connect().close()
    except ModuleNotFoundError as error:
        raise ClusterUnusable("cluster.not_installed", package=str(error.name)) from error
    except (SQLAlchemyError, NoSuchModuleError) as error:
        raise unreachable(error) from error


def unreachable(error: SQLAlchemyError) -> ClusterUnusable:
    """What PostgreSQL or its driver said, in one line."""
    return ClusterUnusable("cluster.database_unreachable", reason=reason_of(error))


def reason_of(error: SQLAlchemyError) -> str:
    """Its first line."""
    lines = str(error.__cause__ or error).strip().splitlines()
    return lines[0][:LONGEST_REASON] if lines else type(error).__name__
