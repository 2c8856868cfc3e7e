"""The page listening on a port of this machine, without servers behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import sleep
from urllib.error import URLError
from urllib.request import urlopen

import uvicorn
from starlette.types import ASGIApp

from heygem_pipeline.settings import settings
from heygem_pipeline.studio.access import Rules
from heygem_pipeline.studio.application import application
from heygem_pipeline.studio.shared_state import Studio
from heygem_pipeline_tests.conftest import free_port
from heygem_pipeline_tests.house import House


def answers(address: str) -> bool:
    """Is the page there?"""
    try:
        with urlopen(address, timeout=5) as answer:
            return answer.status == 200
    except (URLError, ConnectionError, TimeoutError):
        return False


@contextmanager
def listening(house: House, rules: Rules) -> Iterator[str]:
    """The address of the page."""
    studio = Studio(house.instance, house.folders, settings(), rules)
    with listening_at(application(studio), free_port()) as address:
        yield address


@contextmanager
def listening_at(app: ASGIApp, port: int) -> Iterator[str]:
    """The address of any page of ours."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            sleep(0.05)
        yield f"http://localhost:{port}/"
    finally:
        server.should_exit = True
        thread.join()
