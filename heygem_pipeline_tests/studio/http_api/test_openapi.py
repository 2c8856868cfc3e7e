"""What the interface answers is what its schema says, whatever is sent."""

from dataclasses import replace

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as examples
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.python.asgi import HOST
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from heygem_pipeline.settings import settings
from heygem_pipeline.studio.application import application
from heygem_pipeline.studio.http_api.tokens import Tokens
from heygem_pipeline.studio.shared_state import Studio
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.studio.conftest import rules

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
EXAMPLES = 4
"""Of each address, so that all of them take some seconds."""


@pytest.mark.long
def test_every_answer_is_as_the_schema_says(house: House) -> None:
    tokens = Tokens(house.folders)
    allowed = {"authorization": f"Bearer {tokens.create('schemathesis')}"}
    studio = Studio(house.instance, house.folders, settings(), replace(rules(hosts=HOST), tokens=tokens))
    described = schemathesis.openapi.from_asgi("/api/v1/openapi.json", application(studio))
    asked = set()
    for found in described.get_all_operations():
        operation = found.ok()
        if operation.path.endswith("/events"):
            continue  # A stream that goes on until its batch is finished: test_interface.py reads it.

        @seed(7)
        @examples(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.as_strategy())
        def answers(case: Case) -> None:
            case.call_and_validate(f"http://{HOST}/api/v1", headers=allowed, checks=CHECKS)

        answers()
        asked.add(operation.label)
    assert len(asked) > 20
