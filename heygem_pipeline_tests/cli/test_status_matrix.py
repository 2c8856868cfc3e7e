"""The matrix of ``heygem status``, on terminals of any size."""

import pytest
from rich.cells import cell_len
from rich.console import Console

from heygem_pipeline.cli.status_matrix import matrix
from heygem_pipeline.messages.message import verbatim
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.run_inputs import RunInputs
from heygem_pipeline.planning.status import DONE, READY, State, Status
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_table import ClipTable

CHINESE = [f"第{number}课 欢迎来到我们的学校" for number in range(3)]
PRESENTERS = [f"{name} {number}" for number in range(5) for name in ("王老师", "Frau Dr. Schmidt-Hohenstein", "anna")]


def planned(voices: list[str], presenters: list[str], **other: Status) -> Plan:
    rows = {voice: {presenter: other.get(f"{voice}_{presenter}", DONE) for presenter in presenters} for voice in voices}
    return Plan(
        {}, {}, ClipTable(rows), {}, ClipTable({}), {}, RunInputs({}, {}, {}, frozenset(), settings(), {}, {}), {}
    )


def printed(found: Plan, width: int, height: int | None = None) -> list[str]:
    console = Console(width=width, height=height, color_system=None)
    with console.capture() as capture:
        console.print(matrix(found, width, height))
    return capture.get().splitlines()


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for found in (planned(CHINESE, PRESENTERS), planned(PRESENTERS, CHINESE), planned(PRESENTERS, PRESENTERS)):
        assert max(map(cell_len, printed(found, width))) <= width


def test_the_longer_side_goes_down_so_that_nothing_is_cut_into_parts() -> None:
    lines = printed(planned(CHINESE, PRESENTERS), 40)
    assert sum(line.split()[-3:] == ["done"] * 3 for line in lines) == len(PRESENTERS)
    assert printed(planned(PRESENTERS, CHINESE), 40) == lines


def test_long_names_keep_the_end_that_tells_them_apart() -> None:
    lines = printed(planned(["a"], PRESENTERS), 60)
    assert len({line.split("done")[0] for line in lines if "Frau" in line}) == 5


def test_names_across_are_whole_where_they_fit() -> None:
    names = [f"presenter {number}" for number in range(20)]
    text = "\n".join(printed(planned([f"voice {number}" for number in range(20)], names), 110))
    assert all(name in text for name in names)


def test_a_low_screen_shows_what_runs_and_what_failed() -> None:
    voices = [f"voice {number}" for number in range(50)]
    running, failed = Status(State.RUNNING, share=0.25), Status(State.FAILED, verbatim("Its face is too small."))
    found = planned(voices, ["anna", "mei"], **{"voice 48_anna": running, "voice 49_mei": failed, "voice 3_mei": READY})
    lines = printed(found, 80, 16)
    assert len(lines) <= 16
    assert lines[:3] == [
        "voice 49/mei: Its face is too small.",
        "97 done, 1 failed, 1 ready, 1 running",
        "42 more voices are counted and not shown.",
    ]
    rows = [line.split() for line in lines]
    assert ["voice", "48", "25%", "done"] in rows and ["voice", "49", "done", "failed"] in rows


def test_nothing_wanted_is_said() -> None:
    assert printed(planned([], []), 40, 10)[0].startswith("No clip is wanted")
