"""Whether the Redis of a cluster can be reached, asked before a run is handed to it."""

from urllib.parse import parse_qsl, urlsplit

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
