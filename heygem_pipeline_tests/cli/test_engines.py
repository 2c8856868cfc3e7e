"""What an author of an engine sees of its promises."""

import pytest

from heygem_pipeline.cli.terminal import NOT_READY
from heygem_pipeline.lipsync.contract import check
from heygem_pipeline.lipsync.contract.promises import PROMISES
from heygem_pipeline_tests.cli.commands import heygem
from heygem_pipeline_tests.lipsync.test_engine_contract import Painted


def test_an_engine_that_keeps_its_promises_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "PROMISES", PROMISES[2:5])
    said = heygem("engine", "check", "warp")
    assert said.exit_code == 0 and "warp keeps all 3 promises." in said.output


def test_one_that_breaks_some_is_told_which_and_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("drawn too small")

    monkeypatch.setattr(check, "load_engine", lambda *_: Painted(fail))
    monkeypatch.setattr(check, "PROMISES", PROMISES[2:5])
    said = heygem("engine", "check", "painted")
    assert said.exit_code == 1 and "ZeroDivisionError: drawn too small" in said.output
    assert "painted breaks 3 of 3 promises." in said.output


def test_an_engine_that_is_not_there_is_one_sentence() -> None:
    said = heygem("engine", "check", "nobody")
    assert said.exit_code == NOT_READY and "There is no engine called 'nobody'" in said.output
