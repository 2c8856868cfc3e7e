"""What the interface answers is what its schema says, whatever is sent."""

from dataclasses import replace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed
from hypothesis import settings as examples
from hypothesis.strategies import booleans
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.python.asgi import HOST
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from heygem_pipeline.settings import settings
from heygem_pipeline.studio.actions import begin_batch
from heygem_pipeline.studio.application import application
from heygem_pipeline.studio.batches import BatchSpec
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
SLOW_OR_PICKY = [HealthCheck.too_slow, HealthCheck.filter_too_much]

EXAMPLES = 4
"""Of each address, so that all of them take some seconds."""


THERE = {"voice": "one", "presenter": "two", "key": "one"}


def name_what_is_there(case: Case) -> None:
    """What is made up is hardly ever there: ask for the voices, presenters and the batch of the house."""
    if case.path.startswith("/batches"):
        case.path_parameters = dict.fromkeys(case.path_parameters, "Autumn")
        if isinstance(case.body, dict):
            chosen: dict[str, Any] = {} if case.method == "PATCH" else {"voices": ["one"], "presenters": ["two"]}
            case.body = chosen | {"title": "Autumn"}
    elif case.method == "PUT":
        case.path_parameters = {"name": "new.wav" if "voices" in case.path else "new.png"}
        case.query = {}
    else:
        case.path_parameters = {name: THERE[name] for name in case.path_parameters}


@pytest.mark.long
def test_every_answer_is_as_the_schema_says(house: House) -> None:
    tokens = Tokens(house.folders)
    allowed = {"authorization": f"Bearer {tokens.create('schemathesis')}"}
    studio = Studio(house.instance, house.folders, settings(), replace(rules(hosts=HOST), tokens=tokens))
    described = schemathesis.openapi.from_asgi("/api/v1/openapi.json", application(studio))
    wanted = BatchSpec("Autumn", ["one"], ["two"], "standard", "start", "warp", {})
    begin_batch(house.instance, house.folders, settings(), wanted)
    asked, statuses = set(), set()
    for found in described.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        if operation.path.endswith("/events"):
            continue  # A stream that goes on until its batch is finished: test_interface.py reads it.

        @seed(7)
        @examples(
            max_examples=EXAMPLES,
            suppress_health_check=SLOW_OR_PICKY,
            database=None,
        )
        @given(case=operation.as_strategy(), of_the_house=booleans())
        def answers(case: Case, of_the_house: bool) -> None:
            if of_the_house and case.method != "DELETE":
                name_what_is_there(case)
            answer = case.call_and_validate(f"http://{HOST}/api/v1", headers=allowed, checks=CHECKS)
            statuses.add(answer.status_code)

        answers()
        asked.add(operation.label)
    assert len(asked) > 20 and statuses >= {200, 201, 404}
