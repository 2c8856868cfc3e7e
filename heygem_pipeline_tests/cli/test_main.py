"""The command ``heygem``: what scripts read of it, and that every command explains itself."""

import json
import os
import re
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from heygem_pipeline.cli.generate import names_of
from heygem_pipeline.cli.main import app
from heygem_pipeline.errors import BadInput
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.cli.commands import heygem, heygem_process
from heygem_pipeline_tests.conftest import write_voice


@pytest.mark.parametrize(("options", "moving"), [([], True), (["--still"], False)])
@pytest.mark.parametrize("command", ["generate", "preview"])
def test_photographs_move_unless_they_are_to_be_still(
    command: str, options: list[str], moving: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def tracked(*given: Any, **_named: Any) -> NoReturn:
        asked.append(given[-1])
        raise BadInput("face.not_found", file="photo.png")

    monkeypatch.setattr("heygem_pipeline.clip.generate.open_presenter", tracked)
    monkeypatch.setattr("heygem_pipeline.clip.excerpt.open_presenter", tracked)
    write_voice(tmp_path / "voice.wav", 0.8)
    (tmp_path / "photo.png").write_bytes(b"picture")
    files = ["--audio", tmp_path / "voice.wav", "--template", tmp_path / "photo.png", "--output", tmp_path / "clip.mp4"]
    heygem(command, *files, *options)
    assert asked == [moving]


def test_generate_says_what_it_made_in_one_line_of_json(material: Path, tmp_path: Path) -> None:
    output = tmp_path / "clip.mp4"
    done = heygem_process(
        "generate",
        "--audio",
        material / "voice.wav",
        "--template",
        material / "presenter.mp4",
        "--output",
        output,
        "--json",
    )
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    said = json.loads(line)
    assert output.is_file() and said["path"] == str(output)
    assert (said["frames"], said["frame_rate"], said["engine"]) == (20, "25", "warp")
    assert set(said["seconds"]) == {"speech", "faces", "lipsync", "encode", "sync"}
    assert {"sync_offset_frames", "sync_confidence", "duration", "sound_duration", "fps"} <= set(said)


def test_bad_input_is_one_sentence_on_stderr_and_status_2(material: Path, tmp_path: Path) -> None:
    (tmp_path / "讲课.mp4").write_bytes(b"")
    done = heygem_process(
        "generate",
        "--audio",
        material / "voice.wav",
        "--template",
        tmp_path / "讲课.mp4",
        "--output",
        tmp_path / "out.mp4",
        "--json",
    )
    assert done.returncode == 2
    refused = json.loads(done.stdout)["refused"]
    assert (refused["code"], refused["file"]) == ("file.empty", str(tmp_path / "讲课.mp4"))
    assert refused["sentence"] + "\n" == done.stderr
    assert len(done.stderr.splitlines()) == 1 and "讲课.mp4" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["讲课.mp4"]


def test_names_that_are_no_utf8_work_and_are_shown_by_their_bytes(material: Path, tmp_path: Path) -> None:
    voice = tmp_path / os.fsdecode(b"\xbd\xb2\xbf\xce.wav")
    shutil.copy(material / "voice.wav", voice)
    output = tmp_path / os.fsdecode(b"\xbf\xce.mp4")
    given = ["--audio", voice, "--template", material / "presenter.mp4", "--output", output]
    done = heygem_process("generate", *given, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["audio"] == r"\xbd\xb2\xbf\xce.wav"
    assert output.is_file()
    voice.write_bytes(b"")
    done = heygem_process("generate", *given)
    assert (done.returncode, done.stderr) == (2, "\\xbd\\xb2\\xbf\\xce.wav is empty; copy or upload it again.\n")


@pytest.mark.parametrize("which", ["--audio", "--template", "--output"])
def test_a_name_that_no_file_can_have_is_one_sentence(which: str, material: Path, tmp_path: Path) -> None:
    given = {
        "--audio": material / "voice.wav",
        "--template": material / "presenter.mp4",
        "--output": tmp_path / "clip.mp4",
    }
    given[which] = tmp_path / ("长" * 100 + ".mp4")
    done = heygem("generate", *(part for pair in given.items() for part in pair))
    assert done.exit_code == 2
    assert "is longer than the file system allows" in done.stderr and len(done.stderr.splitlines()) == 1


def test_other_commands_say_the_same_of_a_name_that_is_too_long(data: DataFolders, tmp_path: Path) -> None:
    done = heygem("backup", tmp_path / ("x" * 300 + ".tar"))
    assert done.exit_code == 2
    assert "is longer than the file system allows" in done.stderr


def test_a_file_that_is_not_there_is_told_the_same_way(material: Path, tmp_path: Path) -> None:
    done = heygem(
        "generate",
        "--audio",
        tmp_path / "no.wav",
        "--template",
        material / "presenter.mp4",
        "--output",
        tmp_path / "o.mp4",
    )
    assert done.exit_code == 2
    assert "no.wav" in done.stderr and "Traceback" not in done.stderr


def test_ingest_names_what_is_new(data: DataFolders, material: Path) -> None:
    (data.voices / "第一课.wav").write_bytes((material / "voice.wav").read_bytes())
    done = heygem("ingest")
    assert done.exit_code == 0, done.stderr
    assert "第一课" in done.stdout


def test_doctor_is_content_here() -> None:
    done = heygem("doctor")
    assert done.exit_code == 0, done.stdout
    assert "ffmpeg" in done.stdout


def test_doctor_says_what_is_missing_and_how_to_mend_it(tmp_path: Path) -> None:
    done = heygem("doctor", HEYGEM_FFMPEG=str(tmp_path / "none"), COLUMNS="200")
    assert done.exit_code == 3
    assert "apt install ffmpeg" in done.stdout


def test_the_doctor_tells_programs_what_the_defaults_need_and_what_is_optional(tmp_path: Path) -> None:
    said = json.loads(heygem("doctor", "--json", HEYGEM_FFMPEG=str(tmp_path / "none")).stdout)
    assert said["ready"] is False
    needs = {finding["subject"]: (finding["needed_by"], finding["sign"]) for finding in said["findings"]}
    assert needs["ffmpeg"] == ("defaults", "missing") and needs["engine"] == ("defaults", "ok")
    assert needs["weights of the engine wav2lip"][0] == "nothing"
    chosen = json.loads(heygem("doctor", "--json", HEYGEM_ENGINE="wav2lip", HEYGEM_CHECKPOINTS=str(tmp_path)).stdout)
    needs = {finding["subject"]: (finding["needed_by"], finding["sign"]) for finding in chosen["findings"]}
    assert needs["weights of the engine wav2lip"] == ("settings", "missing") and chosen["ready"] is False


def test_the_version_and_a_wrong_call() -> None:
    assert heygem("--version").stdout == f"heygem {version('heygem-pipeline')}\n"
    for wrong in (["generate"], ["status", "--no-such-option"], ["no-such-command"], ["up", "--port", "x"]):
        assert heygem(*wrong).exit_code == 64, wrong


def test_the_shell_completes_commands_and_names(data: DataFolders, material: Path) -> None:
    for name in ("第一课", "welcome"):
        shutil.copy(material / "voice.wav", data.voices / f"{name}.wav")
    shutil.copy(material / "presenter.mp4", data.presenters / "anna.mp4")
    assert heygem("ingest").exit_code == 0

    def offered(line: str) -> set[str]:
        asked = {"_HEYGEM_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": f"heygem {line}"}
        return set(re.findall(r'"([^"]*)"', heygem_process(**asked).stdout))

    assert {"status", "stop"} & offered("sta") == {"status"}
    assert offered("retry w") == {"welcome/"}
    assert offered("retry welcome/") == {"welcome/anna"}
    assert offered("logs 第") == {"第一课/", "第一课"}
    assert heygem("campaign", "new", "autumn").exit_code == 0
    assert offered("batch ") == {"autumn"}


def test_several_clips_in_one_call_each_alone(material: Path, tmp_path: Path) -> None:
    voices = tmp_path / "voices"
    voices.mkdir()
    shutil.copy(material / "voice.wav", voices / "lesson.wav")
    (voices / "empty.wav").write_bytes(b"")
    given = ["--audio", voices / "*.wav", "--audio", voices / "lesson.wav", "--template", material / "presenter.mp4"]
    done = heygem("generate", *given, "--output", tmp_path / "clips", "--json")
    assert done.exit_code == 2
    refused, made = map(json.loads, done.stdout.splitlines())
    assert refused["audio"] == str(voices / "empty.wav")
    assert (refused["refused"]["code"], refused["refused"]["file"]) == ("file.empty", str(voices / "empty.wav"))
    assert made["path"] == str(tmp_path / "clips" / "lesson" / "presenter.mp4") and Path(made["path"]).is_file()
    assert "empty/presenter: empty.wav is empty" in done.stderr
    nothing = heygem("generate", "--audio", voices / "*.mp3", *given[-2:], "--output", tmp_path / "clips")
    assert nothing.exit_code == 2 and "No file is called like" in nothing.stderr


def test_files_of_one_name_do_not_overwrite_each_others_clips(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a/x.wav", "b/x.wav", "b/x.mp3", "b/X.wav")]
    assert list(names_of(files).values()) == ["x", "x (wav)", "x (mp3)", "X (2)"]


COMMANDS = [
    *("generate", "doctor", "ingest", "demo", "up", "backup", "restore", "prune", "studio"),
    *("status", "retry", "cancel", "keep", "batch", "logs", "forget", "trim", "tag"),
    *("campaign", "campaign check", "campaign new", "campaign status", "campaign webhook-secret"),
    *("checkpoints", "checkpoints list", "checkpoints verify", "checkpoints import", "checkpoints where"),
    *("engine", "engine check", "engine recipe", "preview", "compare", "speak", "voices"),
    *("token", "token create", "token list", "token withdraw", "worker"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    assert heygem(*command.split(), "--help").exit_code == 0


def test_every_command_is_among_them() -> None:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    assert {command.split()[0] for command in COMMANDS} == group.commands.keys()
