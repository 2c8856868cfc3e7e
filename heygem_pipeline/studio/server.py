"""The Studio page's own process."""

import ipaddress
import logging

import uvicorn

from heygem_pipeline.errors import NotReady
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.folders import data_folders
from heygem_pipeline.studio.access import Rules
from heygem_pipeline.studio.application import application
from heygem_pipeline.studio.logins import Sessions, read_users, secret_of
from heygem_pipeline.studio.shared_state import Studio

CONNECTIONS = 300
SECONDS_TO_STOP = 3


def run_studio(host: str, port: int) -> None:
    """Serve the page until Ctrl-C or SIGTERM. Raises NotReady where it would be open to a network without a login."""
    folders = data_folders()
    folders.make()
    rules = rules_of(host)
    if rules.everybody and not is_this_machine(host):
        raise NotReady("studio.open_to_all", host=host)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    with open_instance(folders) as instance:
        uvicorn.run(
            application(Studio(instance, folders, settings(), rules)),
            host=host,
            port=port,
            # Who is believed about the other end is decided in access.py.
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_level="warning",
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=SECONDS_TO_STOP,
        )


def rules_of(host: str) -> Rules:
    """What the settings say about who may come. Raises NotReady where they cannot be read."""
    chosen = settings()
    own = {"localhost", "127.0.0.1", "::1"} | ({host} if host not in ("0.0.0.0", "::") else set())
    return Rules(
        hosts=frozenset(name.lower() for name in own | set(chosen.studio_hosts.split())),
        proxies=frozenset(chosen.studio_proxy.split()),
        header=chosen.studio_proxy_header,
        sessions=Sessions(read_users(chosen.studio_users), secret_of(data_folders().state / "studio.secret")),
    )


def is_this_machine(host: str) -> bool:
    """Does an address reach this machine alone?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
