"""``heygem trim`` and ``heygem tag``."""

import json
import shutil
from pathlib import Path

import pytest

from heygem_pipeline.clip.sidecar import read_trim
from heygem_pipeline.media.trim import WHOLE, Trim
from heygem_pipeline.planning.status import State
from heygem_pipeline_tests.cli.commands import heygem
from heygem_pipeline_tests.house import House


@pytest.fixture
def real(house: House, material: Path) -> House:
    """The voice and the presenter "one" are no mere names; their clip is finished."""
    shutil.copy(material / "voice.wav", house.folders.voices / "one.wav")
    shutil.copy(material / "presenter.mp4", house.folders.presenters / "one.mp4")
    house.take_in()
    house.make_inputs()
    house.make_clip()
    return house


def test_a_part_is_used_and_what_is_out_of_date_then_is_named(real: House) -> None:
    recording = real.folders.voices / "one.wav"
    done = heygem("trim", "--voice", "one", "--start", "0.1", "--end", "0.7")
    assert done.exit_code == 0 and read_trim(recording) == Trim.of(0.1, 0.7)
    assert "from second 0.1 to second 0.7" in done.stdout and done.stdout.splitlines()[-1] == "one/one"
    told = json.loads(heygem("trim", "--voice", "one", "--json").stdout)
    assert told == {"file": str(recording), "trim": None, "out_of_date": []} and read_trim(recording) == WHOLE
    assert real.clip().state is State.DONE
    told = json.loads(heygem("trim", "--presenter", "one", "--start", "0.2", "--json").stdout)
    assert (told["trim"], told["out_of_date"]) == ({"start": 0.2, "end": None}, ["one/one"])


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--voice", "one", "--start", "30"], 2, "0.8 seconds long"),
        (["--presenter", "one", "--start", "30"], 2, "0.5 seconds long"),
        (["--voice", "none"], 2, "none"),
        (["--start", "1"], 64, "one voice or one presenter"),
        (["--voice", "one", "--start", "2", "--end", "1"], 64, "after the start"),
    ],
)
def test_what_is_no_part_changes_nothing(real: House, arguments: list[str], status: int, said: str) -> None:
    done = heygem("trim", *arguments)
    assert done.exit_code == status and said in done.stderr
    assert not list(real.folders.root.glob("*/one.yaml")) and real.clip().state is State.DONE


def test_tags_are_given_listed_and_taken(house: House) -> None:
    given = heygem("tag", "--voice", "one", "--voice", "two", "--presenter", "one", "--add", "Autumn", "--json")
    assert json.loads(given.stdout) == {
        "voices": {"one": ["Autumn"], "two": ["Autumn"]},
        "presenters": {"one": ["Autumn"]},
    }
    heygem("tag", "--voice", "two", "--remove", "autumn")
    listed = heygem("tag")
    assert [line.split() for line in listed.stdout.splitlines() if "Autumn" in line] == [
        ["voice", "one", "Autumn"],
        ["presenter", "one", "Autumn"],
    ]
    gone = heygem("tag", "--voice", "none", "--add", "x")
    assert gone.exit_code == 2 and "none" in gone.stderr
    assert heygem("tag", "--add", "x").exit_code == 64
    assert heygem("tag", "--voice", "one", "--add", "a,b").exit_code == 2
