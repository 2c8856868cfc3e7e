"""What several tests of the automation need."""

import socket
from collections.abc import Iterator

import pytest

from heygem_pipeline.automation.instance import open_instance
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline_tests.automation.house import House


@pytest.fixture
def house(data: DataFolders) -> Iterator[House]:
    with open_instance() as instance:
        yield House(data, instance)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
