"""A Studio page without servers: its application, asked directly."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from heygem_pipeline.automation.instance import open_instance
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.studio.access import Rules
from heygem_pipeline.studio.application import Studio, application
from heygem_pipeline.studio.passwords import read_users, user_line
from heygem_pipeline.studio.sessions import Sessions
from heygem_pipeline_tests.automation.house import House

ADDRESS = "http://localhost"


def rules(users: str = "", header: str = "", hosts: str = "") -> Rules:
    names = frozenset({"localhost", *hosts.split()})
    # Starlette's test client says that it is called "testclient".
    return Rules(names, frozenset({"testclient"}), header, Sessions(read_users(users), b"secret"))


@pytest.fixture(scope="session")
def anna() -> str:
    """The line of settings that lets Anna in; her password is "correct horse"."""
    return user_line("anna", "correct horse")


@pytest.fixture
def house(data: DataFolders) -> Iterator[House]:
    with open_instance() as instance:
        yield House(data, instance)


@pytest.fixture
def studio(house: House) -> Iterator[TestClient]:
    """The page over two voices and two presenters, open to everybody who reaches it."""
    with page(house, rules()) as client:
        yield client


def page(house: House, its_rules: Rules) -> TestClient:
    return TestClient(application(Studio(house.instance, house.folders, its_rules)), ADDRESS, follow_redirects=False)
