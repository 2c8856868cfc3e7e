"""The Studio page's own process."""

import ipaddress
import logging

from heygem_pipeline.errors import NotReady
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import data_folders
from heygem_pipeline.studio.access import Rules
from heygem_pipeline.studio.application import application
from heygem_pipeline.studio.http_api.tokens import Tokens
from heygem_pipeline.studio.passwords import read_users
from heygem_pipeline.studio.sessions import Sessions, secret_of
from heygem_pipeline.studio.shared_state import Studio
from heygem_pipeline.web.guard import guard_of
from heygem_pipeline.web.http_server import serve

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
        serve(application(Studio(instance, folders, settings(), rules)), host, port, SECONDS_TO_STOP)


def rules_of(host: str) -> Rules:
    """What the settings say about who may come. Raises NotReady where they cannot be read."""
    chosen = settings()
    if chosen.studio_users.strip() and chosen.studio_proxy_header:
        # Where the proxy lets everybody pass to the page's own login, it would hand on whatever name a stranger sends.
        raise NotReady("studio.two_logins")
    folders = data_folders()
    state = folders.state
    guard = guard_of(host, chosen.studio_hosts, chosen.studio_proxy)
    return Rules(
        hosts=guard.hosts,
        proxies=guard.proxies,
        any_address=guard.any_address,
        header=chosen.studio_proxy_header,
        sessions=Sessions(read_users(chosen.studio_users), secret_of(state / "studio.secret"), state / "studio.ended"),
        tokens=Tokens(folders),
        easy_clients=tuple(map(_network, chosen.easy_clients.split())),
    )


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise NotReady("studio.easy_clients", value=text) from error


def is_this_machine(host: str) -> bool:
    """Does an address reach this machine alone?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
