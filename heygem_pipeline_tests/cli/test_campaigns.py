"""The commands ``heygem campaign ...``."""

import json
import shutil
from pathlib import Path

import pytest
from dagster import DagsterRunStatus
from typer.testing import CliRunner, Result

from heygem_pipeline.cli.main import app
from heygem_pipeline.runs.data_folder_lock import only_runner
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline_tests.house import CLIP, House

LOCALISATION = Path(__file__).parents[2] / "docs" / "examples" / "localisation.yaml"


@pytest.fixture
def uploads(data: DataFolders) -> DataFolders:
    """A data folder with two voices and one presenter; only their names are looked at."""
    for path in (data.voices / "welcome-de.wav", data.voices / "欢迎.mp3", data.presenters / "anna.mp4"):
        path.write_bytes(b"x")
    with open_instance(data) as instance:
        take_in_uploads(instance, data)
    return data


def campaign(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["campaign", *map(str, arguments)])


def row_of(done: Result, title: str) -> list[str]:
    (row,) = [line.split() for line in done.stdout.splitlines() if title in line]
    return row


def test_check_counts_what_the_example_of_localisation_wants(uploads: DataFolders) -> None:
    done = campaign("check", LOCALISATION)
    assert done.exit_code == 0, done.output
    assert "2 voices x 1 presenters = 2 clips" in done.stdout
    assert 'no voice is called "welcome-es"' in done.stderr and 'no presenter is called "mei"' in done.stderr


def test_check_tells_the_problems_of_every_file_and_leaves_with_2(uploads: DataFolders) -> None:
    (uploads.campaigns / "a.yaml").write_text("voices: a\npresenter: b\n")
    (uploads.campaigns / "b.yaml").write_text("voices: *\n")
    done = campaign("check")
    assert done.exit_code == 2
    said = done.stderr.splitlines()
    assert [line.split(",")[:2] for line in said] == [
        ["a.yaml", " line 1"],
        ["a.yaml", " line 2"],
        ["b.yaml", " line 1"],
    ]


def test_check_tells_contradictions(uploads: DataFolders) -> None:
    shutil.copy(LOCALISATION, uploads.campaigns)
    assert campaign("check").exit_code == 0
    assert campaign("new", "everything").exit_code == 0
    for arguments in (["check"], ["check", uploads.campaigns / "everything.yaml"]):
        done = campaign(*arguments)
        assert done.exit_code == 2
        assert all(name in done.stderr for name in ("localisation.yaml", "everything.yaml", "welcome-de x anna"))


def test_check_of_one_file_names_it_in_what_it_contradicts(uploads: DataFolders, tmp_path: Path) -> None:
    for name, crf in (("a", 20), ("b", 21), ("c", 22)):
        (uploads.campaigns / f"{name}.yaml").write_text(f"voices: '*'\npresenters: '*'\nsettings: {{crf: {crf}}}\n")
    shutil.move(uploads.campaigns / "c.yaml", tmp_path)
    (sentence,) = campaign("check", tmp_path / "c.yaml").stderr.splitlines()
    assert 'c.yaml with crf "22"' in sentence


def test_new_writes_a_campaign_that_check_accepts_and_never_overwrites_one(uploads: DataFolders) -> None:
    assert campaign("new", "秋季").exit_code == 0
    (written,) = uploads.campaigns.iterdir()
    assert written.name == "秋季.yaml"
    assert campaign("check").exit_code == 0
    written.write_text("mine")
    done = campaign("new", "秋季.yaml")
    assert done.exit_code == 2 and "秋季.yaml" in done.stderr
    assert written.read_text() == "mine"


def test_status_without_a_campaign_counts_everything(uploads: DataFolders) -> None:
    done = campaign("status")
    assert done.exit_code == 0, done.output
    assert row_of(done, "everything")[-6:] == ["2", "1", "2", "0", "0", "0"]


def test_status_counts_what_the_planner_says(house: House) -> None:
    (house.folders.campaigns / "autumn.yaml").write_text('voices: "*"\npresenters: one\n')
    house.make_inputs()
    house.make_clip("one", "one")
    house.run(CLIP, "two|one", DagsterRunStatus.CANCELED)
    assert row_of(campaign("status"), "autumn")[-7:] == ["2", "1", "2", "1", "0", "0", "1"]
    house.replace("one", "said anew")
    house.make_inputs()
    assert row_of(campaign("status", "autumn"), "autumn")[-7:] == ["2", "1", "2", "0", "1", "0", "1"]


def test_check_and_status_change_nothing_and_name_what_is_not_taken_in(uploads: DataFolders) -> None:
    register = uploads.state / "uploads.json"
    before = register.read_bytes()
    (uploads.voices / "new.wav").write_bytes(b"x")
    (uploads.presenters / "anna.mp4").unlink()
    for command in ("check", "status"):
        done = campaign(command)
        assert done.exit_code == 0 and "Not taken in yet: new.wav; heygem ingest" in done.stderr
        with only_runner(data_folders()):
            assert "Not taken in" not in campaign(command).stderr
    assert register.read_bytes() == before


def test_status_of_one_names_what_it_matches_and_its_next_time(uploads: DataFolders) -> None:
    shutil.copy(LOCALISATION, uploads.campaigns)
    done = campaign("status", "localisation")
    assert done.exit_code == 0, done.output
    assert "Welcome, autumn term" in done.stdout and "02:00 Europe/Berlin" in done.stdout
    assert "welcome-de (de), 欢迎 (zh-Hans)" in done.stdout
    assert campaign("status", "spring").exit_code == 2


def test_a_campaign_is_found_by_all_that_is_printed_of_it(uploads: DataFolders, tmp_path: Path) -> None:
    shutil.copy(LOCALISATION, uploads.campaigns)
    path = uploads.campaigns / "localisation.yaml"
    for name in ("localisation", "localisation.yaml", path, "Welcome, autumn term"):
        for command in ("check", "status"):
            done = campaign(command, name)
            assert done.exit_code == 0, done.output
    assert campaign("check", "spring").exit_code == 2
    shutil.copy(path, uploads.campaigns / "again.yaml")
    done = campaign("status", "Welcome, autumn term")
    assert done.exit_code == 2 and "again.yaml, localisation.yaml" in done.stderr


def test_programs_read_campaigns_and_their_mistakes(uploads: DataFolders) -> None:
    shutil.copy(LOCALISATION, uploads.campaigns)
    (said,) = json.loads(campaign("status", "--json").stdout)["campaigns"]
    assert said["file"] == str(uploads.campaigns / "localisation.yaml")
    assert said["title"] == "Welcome, autumn term" and said["counts"] == {"waiting": 2}
    assert said["voices"][0] == {"name": "welcome-de", "language": "de"} and said["next"].endswith("02:00:00+01:00")
    (uploads.campaigns / "b.yaml").write_text("voices: [a\n")
    for command in ("status", "check"):
        done = campaign(command, "--json")
        (problem,) = json.loads(done.stdout)["refused"]["problems"]
        assert done.exit_code == 2 and problem["file"] == str(uploads.campaigns / "b.yaml")
