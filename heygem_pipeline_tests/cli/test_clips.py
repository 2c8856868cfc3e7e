"""The commands ``heygem status``, ``retry``, ``cancel`` and ``batch``."""

import json
import os
import pty
import shutil
import signal
import subprocess
import termios
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep, time

import pytest
from dagster import DagsterRunStatus
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.requests import read_requests
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.data_folder_lock import only_runner
from heygem_pipeline.runs.failure_reasons import reason_tag
from heygem_pipeline.runs.progress import Progress, write_progress
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.cli.commands import PROGRAM, heygem
from heygem_pipeline_tests.house import CLIP, VOICE, House

TERMINAL = {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"}


@pytest.fixture
def house(house: House) -> House:
    house.make_inputs()
    return house


def test_status_shows_the_matrix_failures_and_counts(house: House) -> None:
    house.make_clip("one", "one")
    run_id = house.run(CLIP, "one|two", DagsterRunStatus.STARTED)
    write_progress(house.folders, run_id, Progress("generated_frames", 60, 120, 0.0, 2.0))
    house.run(CLIP, "two|one", DagsterRunStatus.FAILURE, {"heygem/sentence": "two.wav is cut off."})
    with only_runner(house.folders):
        done = heygem("status")
    assert done.exit_code == 0, done.output
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["one", "two"] in rows and ["one", "done", "25%"] in rows and ["two", "failed", "ready"] in rows
    assert "two/one: two.wav is cut off." in done.stdout
    assert "1 done, 1 failed, 1 ready, 1 running" in done.stdout


def test_a_cancelled_clip_has_not_failed_and_a_killed_run_is_not_running(house: House) -> None:
    house.run(CLIP, "one|one", DagsterRunStatus.CANCELED)
    run_id = house.run(CLIP, "one|two", DagsterRunStatus.STARTED)
    write_progress(house.folders, run_id, Progress("generated_frames", 60, 120, 0.0, 2.0))
    done = heygem("status")
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["one", "cancelled", "interrupted"] in rows
    assert "1 cancelled, 1 interrupted, 2 ready" in done.stdout and "heygem up" in done.stdout
    # A run that Dagster's own commands started holds no lock, but tells how far it is.
    write_progress(house.folders, run_id, Progress("generated_frames", 60, 120, time() - 2, time()))
    assert ["one", "cancelled", "25%"] in [line.split() for line in heygem("status").stdout.splitlines()]


def test_programs_read_the_state_with_full_paths(house: House) -> None:
    house.make_clip("one", "one")
    house.run(CLIP, "two|one", DagsterRunStatus.FAILURE, reason_tag(Message("file.empty", file="two.wav")))
    said = json.loads(heygem("status", "--json").stdout)
    assert said["counts"] == {"done": 1, "ready": 2, "failed": 1} and said["served"] is False
    clips = {(clip["voice"], clip["presenter"]): clip for clip in said["clips"]}
    assert clips["one", "one"]["file"] == str(house.folders.clip(ClipKey("one", "one")))
    reason = clips["two", "one"]["reason"]
    assert (reason["code"], reason["file"]) == ("file.empty", str(house.folders.voices / "two.wav"))
    assert said["voices"][0]["file"] == str(house.folders.voices / "one.wav")
    refused = heygem("status", "--json", HEYGEM_DATA="/dev/null")
    assert refused.exit_code == 3 and json.loads(refused.stdout)["refused"]["sentence"] + "\n" == refused.stderr


def test_programs_read_of_which_script_a_voice_is(house: House) -> None:
    (house.folders.scripts / "lesson.txt").write_text("?!")
    house.take_in()
    voices = {voice["name"]: voice for voice in json.loads(heygem("status", "--json").stdout)["voices"]}
    script = str(house.folders.scripts / "lesson.txt")
    assert (voices["lesson"]["state"], voices["lesson"]["file"]) == ("failed", script)
    assert (voices["lesson"]["reason"]["code"], voices["lesson"]["reason"]["file"]) == ("script.no_words", script)


def test_watching_leaves_the_terminal_as_it_was(house: House) -> None:
    master, terminal = pty.openpty()
    before = termios.tcgetattr(terminal)
    program = [*PROGRAM, "status", "--watch"]
    process = subprocess.Popen(program, stdin=terminal, stdout=terminal, stderr=terminal, env=os.environ | TERMINAL)
    written = b""  # A piece may end within a letter.
    while b"4 ready" not in written:
        written += os.read(master, 65536)
    process.send_signal(signal.SIGINT)
    os.set_blocking(master, False)
    deadline = monotonic() + 60
    # Whoever writes more than a terminal's buffer holds waits for a reader.
    while process.poll() is None and monotonic() < deadline:
        written += read_waiting(master)
        sleep(0.05)
    assert process.wait(1) == 0
    written += read_waiting(master)
    shown = written.decode()
    after = termios.tcgetattr(terminal)
    os.close(terminal)
    os.close(master)
    assert after == before
    for begins, ends in (("\x1b[?1049h", "\x1b[?1049l"), ("\x1b[?25l", "\x1b[?25h")):
        assert shown.count(begins) == 1 and shown.rindex(ends) > shown.index(begins)
    assert "Traceback" not in shown


def read_waiting(terminal: int) -> bytes:
    with suppress(BlockingIOError):
        return os.read(terminal, 65536)
    return b""


def test_status_without_uploads_says_what_to_do(data: DataFolders) -> None:
    done = heygem("status")
    assert done.exit_code == 0 and "drop a voice and a presenter" in done.stdout


def test_retry_asks_for_what_failed_and_names_what_did_not(house: House) -> None:
    house.run(CLIP, "one|two", DagsterRunStatus.CANCELED)
    done = heygem("retry", "one/one", "one/two")
    assert done.exit_code == 0 and "one/one has not failed; it is ready" in done.stderr
    assert "1 clips are asked for" in done.stdout and "heygem up" in done.stdout
    assert house.clip("one", "two").state is State.READY
    assert read_requests(house.folders).clips == ["one|two"]


def test_retry_of_all_reaches_voices_that_failed(house: House) -> None:
    house.replace("one", "other")
    house.run(VOICE, "one", DagsterRunStatus.CANCELED)
    assert house.plan().counts[State.FAILED] == 2
    with only_runner(house.folders):
        assert "within seconds" in heygem("retry").stdout
    assert house.plan().counts[State.FAILED] == 0
    assert heygem("retry").stdout.startswith("There is nothing to make")


def test_an_unknown_clip_is_told_in_a_sentence(house: House) -> None:
    for command in ("retry", "cancel"):
        done = heygem(command, "one/three")
        assert done.exit_code == 2 and "There is no wanted clip one/three" in done.stderr


def test_cancel_reaches_the_run_of_a_voice_alone(house: House) -> None:
    house.replace("one", "other")
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "all"), "analyse_voice")
    run_id = house.run(VOICE, "one", DagsterRunStatus.QUEUED, origin=origin)
    assert heygem("cancel", "two").exit_code == 1
    assert heygem("cancel", "one").exit_code == 0
    run = house.instance.get_run_by_id(run_id)
    assert run is not None and run.status is DagsterRunStatus.CANCELED
    assert f"{run_id[:8]} [one] cancel: It is told to stop." in house.folders.log_file.read_text()


def test_cancel_takes_a_clip_out_of_the_queue(house: House) -> None:
    origin = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "all"), "make_clip")
    run_id = house.run(CLIP, "one|two", DagsterRunStatus.QUEUED, origin=origin)
    done = heygem("cancel", "one/two")
    assert done.exit_code == 0, done.output
    run = house.instance.get_run_by_id(run_id)
    assert run is not None and run.status is DagsterRunStatus.CANCELED
    assert "cancelled" in str(house.clip("one", "two").reason)
    done = heygem("cancel", "one/two")
    assert done.exit_code == 1 and "is in no run" in done.stderr


def test_batch_asks_the_running_pipeline(house: House) -> None:
    house.make_clip("one", "one")
    (house.folders.campaigns / "autumn.yaml").write_text('title: Autumn term\nvoices: one\npresenters: "*"\n')
    with only_runner(house.folders):
        done = heygem("batch", "Autumn term")
        assert done.exit_code == 0 and "1 clips are asked for" in done.stdout
    assert read_requests(house.folders).clips == ["one|two"]
    assert heygem("batch", "spring").exit_code == 2


def test_batch_names_what_cannot_be_made_in_the_running_pipeline(house: House) -> None:
    house.run(CLIP, "one|two", DagsterRunStatus.CANCELED)
    with only_runner(house.folders):
        done = heygem("batch")
    assert done.exit_code == 1 and "3 clips are asked for" in done.stdout
    assert "1 of 4 wanted clips are not made: one/two." in done.stderr


def test_batch_fails_where_clips_wait_for_room_on_the_disk(house: House) -> None:
    for voice, presenter in (("one", "one"), ("two", "one"), ("two", "two")):
        house.make_clip(voice, presenter)
    done = heygem("batch", HEYGEM_KEEP_FREE_GB="1e9")
    assert done.exit_code == 1 and "1 of 4 wanted clips are not made: one/two." in done.stderr
    assert "HEYGEM_KEEP_FREE_GB" in done.stdout


def test_batch_fails_where_a_campaign_cannot_be_understood(house: House) -> None:
    (house.folders.campaigns / "autumn.yaml").write_text("voices: [one\n")
    done = heygem("batch")
    assert done.exit_code == 1 and "autumn.yaml" in done.stderr


def test_batch_makes_everything_itself_where_nothing_runs(data: DataFolders, material: Path) -> None:
    shutil.copy(material / "presenter.mp4", data.presenters / "anna.mp4")
    shutil.copy(material / "voice.wav", data.voices / "welcome.wav")
    (data.voices / "broken.wav").write_bytes(b"no sound")
    done = heygem("batch")
    assert done.exit_code == 1 and "broken.wav" in done.stderr and "1 done, 1 failed" in done.stdout
    assert data.clip(ClipKey("welcome", "anna")).is_file() and data.delivery("welcome").is_file()
    assert "1 of 2 wanted clips are not made: broken/anna." in done.stderr
    (data.voices / "broken.wav").unlink()
    again = heygem("batch")
    assert again.exit_code == 0 and "RenderSpec" not in again.stderr
