"""The commands about uploads that are there: ``heygem trim`` and ``heygem tag``."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from heygem_pipeline.cli.answers import JSON_HELP, say
from heygem_pipeline.cli.completion import presenter_names, voice_names
from heygem_pipeline.cli.terminal import output, sentences
from heygem_pipeline.storage.paths import data_folders

if TYPE_CHECKING:
    from heygem_pipeline.storage.paths import DataFolders

app = typer.Typer()


@app.command()
def trim(
    voice: Annotated[str | None, typer.Option(help="A voice", autocompletion=voice_names)] = None,
    presenter: Annotated[str | None, typer.Option(help="A presenter", autocompletion=presenter_names)] = None,
    start: Annotated[float, typer.Option(min=0, help="Second at which it begins")] = 0.0,
    end: Annotated[float | None, typer.Option(min=0, help="Second at which it ends; default: the file's end")] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Use a part of a voice or a presenter's video; without start and end, all of it again. The file stays as it is."""
    from heygem_pipeline.clip.sidecar import use_part_of_presenter, use_part_of_voice
    from heygem_pipeline.media.trim import Trim
    from heygem_pipeline.planning.planner import plan
    from heygem_pipeline.planning.status import State
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.settings import settings
    from heygem_pipeline.uploads.registry import UploadKind, Uploads

    if (voice is None) == (presenter is None):
        raise typer.BadParameter("name one voice or one presenter")
    try:
        part = Trim.of(start, end)
    except ValueError as error:
        raise typer.BadParameter("the end must come after the start") from error
    with sentences(as_json), open_instance(folders := data_folders()) as instance:
        before = plan(instance, folders, settings()).clips
        kind, key = (UploadKind.PRESENTER, presenter) if voice is None else (UploadKind.VOICE, voice)
        path = Uploads(folders).find(kind, key or "")
        (use_part_of_presenter if voice is None else use_part_of_voice)(path, part, settings())
        after = plan(instance, folders, settings()).clips
    stale = [clip.label for clip, status in before.items() if status.state is State.DONE and after[clip] != status]
    if as_json:
        told = None if part.is_whole else {"start": float(part.start), "end": None if end is None else float(end)}
        say({"file": str(path.absolute()), "trim": told, "out_of_date": stale})
        return
    until = "its end" if part.end is None else f"second {float(part.end):g}"
    what = "All of it is used." if part.is_whole else f"It is used from second {float(part.start):g} to {until}."
    output.print(Text(f"{path.name}: {what} Finished clips that are out of date now: {len(stale)}."), soft_wrap=True)
    for name in stale:
        output.print(Text(name), soft_wrap=True)


@app.command()
def tag(
    voice: Annotated[list[str] | None, typer.Option(help="A voice; repeatable", autocompletion=voice_names)] = None,
    presenter: Annotated[
        list[str] | None, typer.Option(help="A presenter; repeatable", autocompletion=presenter_names)
    ] = None,
    add: Annotated[list[str] | None, typer.Option(help="A tag to give; repeatable")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="A tag to take away; repeatable")] = None,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Tag voices and presenters, so that they are found in the Studio; without names, list what is tagged."""
    from heygem_pipeline.uploads.tags import TaggedKind, Tags

    named = {TaggedKind.VOICES: voice or [], TaggedKind.PRESENTERS: presenter or []}
    if (add or remove) and not any(named.values()):
        raise typer.BadParameter("name voices or presenters")
    with sentences(as_json):
        tags = Tags(folders := data_folders())
        _require_known(folders, voice or [], presenter or [])
        for kind, keys in named.items():
            if keys and (add or remove):
                tags.change(kind, keys, add or [], remove or [])
        known = {
            kind: {key: theirs for key, theirs in tags.of(kind).items() if key in keys or not any(named.values())}
            for kind, keys in named.items()
        }
    if as_json:
        say({kind.value: {key: list(theirs) for key, theirs in found.items()} for kind, found in known.items()})
        return
    table = Table("", "name", "tags", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for kind, found in known.items():
        for key, theirs in sorted(found.items()):
            table.add_row(
                kind.value.removesuffix("s"), Text(key, overflow="fold"), Text(", ".join(theirs), overflow="fold")
            )
    output.print(table)


def _require_known(folders: "DataFolders", voices: list[str], presenters: list[str]) -> None:
    """Raises UploadMissing for the first that was not taken in."""
    from heygem_pipeline.errors import UploadMissing
    from heygem_pipeline.uploads.registry import UploadKind, Uploads

    uploads = Uploads(folders)
    for names, known, kind in (
        (voices, uploads.voices().keys(), UploadKind.VOICE),
        (presenters, uploads.known(UploadKind.PRESENTER).keys(), UploadKind.PRESENTER),
    ):
        for name in names:
            if name not in known:
                raise UploadMissing("upload.gone", key=name, folder=uploads.folder(kind).name)
