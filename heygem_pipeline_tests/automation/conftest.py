"""What several tests of the automation need."""

from collections.abc import Iterator

import pytest

from heygem_pipeline.automation.instance import open_instance
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline_tests.automation.house import House


@pytest.fixture
def house(data: DataFolders) -> Iterator[House]:
    with open_instance() as instance:
        yield House(data, instance)
