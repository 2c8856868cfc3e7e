"""The command ``heygem prune``."""

import pytest

from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.data_folder_lock import only_runner
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.cli.commands import heygem
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.operations.test_retention import make_all, write


def test_prune_shows_what_how_many_how_much_and_why(house: House) -> None:
    make_all(house)
    patches = write(house.folders.patches(ClipKey("one", "two")), b"x" * 2_500_000, days=1)
    done = heygem("prune", "--dry-run")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["mouth", "patches", "of", "finished", "clips", "1", "2.5", "HEYGEM_KEEP_PATCHES_DAYS=0"] in rows
    assert done.exit_code == 0 and "2.5 MB would be removed." in done.stdout and patches.exists()
    with only_runner(house.folders):
        assert "2.5 MB were removed." in heygem("prune").stdout
    assert not patches.exists()
    assert heygem("prune").stdout == "0.0 MB were removed.\n"


def test_a_removed_clip_is_made_again_when_somebody_names_it(house: House) -> None:
    make_all(house)
    for presenter in ("one", "two"):
        house.folders.clip(ClipKey("one", presenter)).unlink()
        house.folders.report(ClipKey("one", presenter)).rename(house.folders.removed(ClipKey("one", presenter)))
    assert "There is nothing to make" in heygem("retry").stdout
    assert "1 clips are asked for" in heygem("retry", "one/two").stdout
    assert house.clip("one", "two").state is State.READY and house.clip("one", "one").state is State.REMOVED
    status = heygem("status").stdout
    assert "1 removed" in status and ["one", "removed", "ready"] in [line.split() for line in status.splitlines()]


def test_a_wrong_setting_removes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    make_all(house)
    monkeypatch.setenv("HEYGEM_KEEP_OUTPUTS_DAYS", "0")
    settings.cache_clear()
    done = heygem("prune")
    assert done.exit_code == 3 and "HEYGEM_KEEP_OUTPUTS_DAYS is wrong" in done.stderr
    assert house.folders.clip(ClipKey("one", "one")).exists()


def test_a_wrong_entry_of_a_list_is_told_by_the_setting_it_stands_in(
    monkeypatch: pytest.MonkeyPatch, data: DataFolders
) -> None:
    monkeypatch.setenv("HEYGEM_OWNERS", "team:teaching, nobody")
    settings.cache_clear()
    done = heygem("prune")
    assert done.exit_code == 3 and "HEYGEM_OWNERS is wrong" in done.stderr


def test_days_without_end_keep_everything(house: House) -> None:
    make_all(house)
    for name in ("RUNS", "FAILED_RUNS", "STORE", "OUTPUTS", "PATCHES"):
        done = heygem("prune", **{f"HEYGEM_KEEP_{name}_DAYS": "1e300"})
        assert done.exit_code == 0, done.output
    assert house.folders.clip(ClipKey("one", "one")).exists()
