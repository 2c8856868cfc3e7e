"""The command ``heygem generate``: clips from files anywhere, without a Dagster instance."""

import traceback
from collections.abc import Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heygem_pipeline.cli.answers import JSON_HELP, refusal, say
from heygem_pipeline.cli.terminal import (
    OTHER_FAILURE,
    StageBars,
    clip_table,
    exit_status_of,
    messages,
    output,
    sentences,
    tell,
)
from heygem_pipeline.errors import PipelineError, UploadMissing
from heygem_pipeline.settings import Settings, settings
from heygem_pipeline.storage.keys import partition_key

if TYPE_CHECKING:
    from heygem_pipeline.clip.generate import ClipToMake
    from heygem_pipeline.quality.report import ClipReport

app = typer.Typer()

STILL_HELP = "Keep photographs still; otherwise they blink and move the head a little, unless their sidecar says no"


@app.command()
def generate(
    audio: Annotated[
        list[str],
        typer.Option(help="A voice: a sound file, or a video whose sound is used. Also a quoted pattern; repeatable"),
    ],
    template: Annotated[
        list[str], typer.Option(help="A presenter: a video, or a picture. Also a quoted pattern; repeatable")
    ],
    output_file: Annotated[
        Path, typer.Option("--output", help="The MP4 to write; of several: the folder, for VOICE/PRESENTER.mp4")
    ],
    engine: Annotated[str | None, typer.Option(help="Lip-sync engine; default: the setting HEYGEM_ENGINE")] = None,
    still: Annotated[bool, typer.Option("--still", help=STILL_HELP)] = False,
    as_json: Annotated[bool, typer.Option("--json", help=f"{JSON_HELP}; of several: a line a clip")] = False,
) -> None:
    """Make a clip of every voice with every presenter, without a Dagster instance."""
    if len(audio) == len(template) == 1 and not any(map(_is_pattern, (*audio, *template))):
        _one(Path(audio[0]), Path(template[0]), output_file, engine, still, as_json)
        return
    from heygem_pipeline.clip.generate import ClipToMake, generate_clips

    with sentences(as_json):
        voices, presenters = names_of(_files(audio)), names_of(_files(template))
        clips = [
            ClipToMake(voice, presenter, output_file / voice_name / f"{presenter_name}.mp4")
            for presenter, presenter_name in presenters.items()
            for voice, voice_name in voices.items()
        ]
        rows: list[tuple[str, ClipReport | None, str, str | None]] = []
        status = 0
        with StageBars(messages) as bars:
            for clip, made in generate_clips(clips, engine, bars.show, settings_keeping_still(still)):
                name = f"{clip.output.parent.name}/{clip.output.stem}"
                if isinstance(made, Exception):
                    status = status or _tell_failure(name, clip, made, as_json)
                    rows.append((name, None, str(clip.output), str(made)))
                    continue
                rows.append((name, made, str(clip.output), None))
                if as_json:
                    say(made.as_json() | {"path": str(clip.output.absolute())})
    if not as_json:
        output.print(clip_table(rows))
    if status:
        raise typer.Exit(status)


def _one(voice: Path, presenter: Path, written: Path, engine: str | None, still: bool, as_json: bool) -> None:
    from heygem_pipeline.clip.generate import generate_clip

    with sentences(as_json, (voice, presenter, written)), StageBars(messages) as bars:
        report = generate_clip(voice, presenter, written, engine, bars.show, settings_keeping_still(still))
    if as_json:
        say(report.as_json() | {"path": str(written.absolute())})
    else:
        output.print(clip_table([(report.template, report, str(written), None)]))


def _tell_failure(name: str, clip: "ClipToMake", error: Exception, as_json: bool) -> int:
    """Tell why one of several was not made; return the exit status for it."""
    tell(f"{name}: {error}")
    if not isinstance(error, PipelineError):
        traceback.print_exception(error)
        return OTHER_FAILURE
    if as_json:
        asked = {"audio": clip.voice, "template": clip.presenter, "path": clip.output}
        told = {key: str(path.absolute()) for key, path in asked.items()}
        say(told | refusal(error, (clip.voice, clip.presenter, clip.output)))
    return exit_status_of(error)


def _is_pattern(name: str) -> bool:
    return has_magic(name) and not Path(name).exists()


def _files(names: Sequence[str]) -> list[Path]:
    """The files of names and patterns, each once. Raises UploadMissing for a pattern that matches none."""
    found: dict[Path, Path] = {}
    for name in names:
        matched = [Path(name)]
        if _is_pattern(name):
            everything = sorted(glob(name, recursive=True))  # noqa: PTH207 - absolute patterns work too
            matched = [path for path in map(Path, everything) if path.is_file()]
            if not matched:
                raise UploadMissing("file.no_match", pattern=name)
        for path in matched:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def names_of(files: Sequence[Path]) -> dict[Path, str]:
    """What each is called in the names of clips: its stem; where that is taken, with its ending or a number."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in files:
        stem = partition_key(path.stem)
        tried = [
            stem,
            f"{stem} ({path.suffix.removeprefix('.')})",
            *(f"{stem} ({number})" for number in range(2, 10**4)),
        ]
        name = next(name for name in tried if name.casefold() not in taken)
        taken.add(name.casefold())
        names[path] = name
    return names


def settings_keeping_still(still: bool) -> Settings:
    """The settings, with what was chosen of photographs."""
    return settings().model_copy(update={"photographs_move": False}) if still else settings()
