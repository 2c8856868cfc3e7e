"""Whether a cluster's PostgreSQL and Redis can be reached: asked before they are used."""

from urllib.parse import parse_qsl, urlsplit

import sqlalchemy as db
from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError

from heygem_pipeline.errors import ClusterUnusable

SECONDS_TO_ANSWER = 2.0
LONGEST_REASON = 300
"""Characters."""


def require_broker(address: str) -> None:
    """Raise ClusterUnusable where it does not answer, or the extra ``cluster`` is not installed."""
    try:
        from redis import Redis
        from redis.exceptions import RedisError
    except ModuleNotFoundError as error:
        raise ClusterUnusable("cluster.not_installed", package=str(error.name)) from error
    parts = urlsplit(address)
    if parts.scheme == "redis" and any(name.startswith("ssl_") for name, _ in parse_qsl(parts.query)):
        raise ClusterUnusable("cluster.broker_unencrypted")
    try:
        broker = Redis.from_url(address, socket_timeout=SECONDS_TO_ANSWER, socket_connect_timeout=SECONDS_TO_ANSWER)
        try:
            broker.ping()
        finally:
            broker.close()
    except (RedisError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:LONGEST_REASON]
        raise ClusterUnusable("cluster.broker_unreachable", reason=reason) from error


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
