"""What an author of an engine sees of its promises."""

from pathlib import Path

import pytest

from heygem_pipeline.cli.terminal import NOT_READY
from heygem_pipeline.lipsync.contract import check
from heygem_pipeline.lipsync.contract.promises import PROMISES
from heygem_pipeline.lipsync.program.recipe import read_recipe
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


def test_recipes_are_listed_with_their_licences_and_printed_whole(tmp_path: Path) -> None:
    listed = heygem("engine", "recipe").output
    assert "wav2lip: Wav2Lip reference. Research and personal use only" in listed.replace("\n", " ")
    (tmp_path / "own.yaml").write_text(heygem("engine", "recipe", "latentsync").output)
    assert read_recipe(tmp_path / "own.yaml")[0].name == "LatentSync 1.6"
    assert heygem("engine", "recipe", "nobody").exit_code == NOT_READY
