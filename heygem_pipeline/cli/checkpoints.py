"""The commands ``heygem checkpoints ...``."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from heygem_pipeline.checkpoints.catalogue import CATALOGUE, Checkpoint, Owner, Part
from heygem_pipeline.checkpoints.weights import checkpoints_folder, comes_by_itself, is_complete
from heygem_pipeline.cli.answers import JSON_HELP, say
from heygem_pipeline.cli.terminal import OTHER_FAILURE, output, sentences
from heygem_pipeline.errors import ModelMissing
from heygem_pipeline.settings import settings

app = typer.Typer(help="Weights of engines and trackers: list, import and verify them", no_args_is_help=True)


@app.command("list")
def list_all(as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False) -> None:
    """List every file of weights: its purpose, whether it is there, and its licence."""
    with sentences(as_json):
        if as_json:
            say(
                {"folder": str(checkpoints_folder(settings())), "owners": [_owner_values(owner) for owner in CATALOGUE]}
            )
            return
        for owner in CATALOGUE:
            table = Table("for", "file", "is", "there", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
            for part in owner.parts:
                for checkpoint in part.files:
                    there = _stock(checkpoints_folder(settings()) / checkpoint.file, checkpoint)
                    table.add_row(part.what, checkpoint.file, checkpoint.what, there)
            output.print(Text(f"\n{owner.kind} {owner.name}", "bold"))
            output.print(table)
            _say(f"From {', '.join(_sources(owner))}. {_needed(owner)}")
            if not any(one.promised_digits for part in owner.parts for one in part.files):
                _say("No SHA-256 is known to compare them with: their parts and shapes are checked.")
            _say(f"{owner.terms} {_acknowledged(owner)}")


def _owner_values(owner: Owner) -> dict[str, Any]:
    chosen = settings()
    files = [
        {"for": part.what, "file": str(path), "what": one.what, "bytes": path.stat().st_size if there else None}
        for part in owner.parts
        for one in part.files
        for path in [checkpoints_folder(chosen) / one.file]
        for there in [path.is_file()]
    ]
    return {
        "kind": owner.kind,
        "name": owner.name,
        "complete": is_complete(owner, chosen),
        "downloaded_when_needed": comes_by_itself(owner, chosen),
        "research_only": owner.research_only,
        "acknowledged": owner.name in chosen.acknowledged_licences or not owner.research_only,
        "terms": str(owner.terms),
        "files": files,
    }


@app.command()
def verify() -> None:
    """Check whether the files of weights are unchanged and hold what they should; exit status 1 if not."""
    from heygem_pipeline.checkpoints.import_and_verify import verify_checkpoints

    with sentences():
        found = verify_checkpoints(checkpoints_folder(settings()), _check)
    for one in found:
        _say(f"{'ok' if one.usable else 'NOT USABLE'}  {one.checkpoint.file}  SHA-256 {one.sha256}")
        _say(f"    {one.message}")
    if not found:
        _say("No file of weights is there; heygem checkpoints list says what there could be.")
    if not all(one.usable for one in found):
        raise typer.Exit(OTHER_FAILURE)


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A file of weights that you downloaded")],
    name: Annotated[str | None, typer.Option("--as", help="Its original name, if it was renamed")] = None,
) -> None:
    """Check a file of weights and copy it to the folder in which its engine or tracker looks for it."""
    from heygem_pipeline.checkpoints.import_and_verify import import_checkpoint

    with sentences():
        done = import_checkpoint(file, checkpoints_folder(settings()), _check, name)
    _say(f"{done.path} {'takes the place of the one before' if done.replaced else 'is in place'}.")
    _say(f"SHA-256 {done.receipt.sha256}, {done.receipt.bytes / 1e6:.1f} MB.")
    _say(f"{done.owner.terms} {_acknowledged(done.owner)}")


@app.command()
def where() -> None:
    """Print the folder of the weights."""
    with sentences():
        print(checkpoints_folder(settings()))


def _check(owner: Owner, part: Part, path: Path) -> None:
    if owner.name == "face_alignment":
        from heygem_pipeline.faces.face_alignment_models import check_weights

        check_weights(path, part.what)
        return
    if owner.name == "kokoro":
        from heygem_pipeline.synthesis.kokoro.model_files import check_file

        check_file(path, part.what)
        return
    if owner.name == "musetalk":
        try:
            from heygem_pipeline.lipsync.musetalk.network import weight_files
        except ImportError as error:
            raise ModelMissing("musetalk.no_packages", packages=error.name or "torch") from error
        weight_files.load_network(part.what, path)
        return
    try:
        from heygem_pipeline.lipsync.wav2lip.network.checkpoint_validation import load_network
    except ImportError as error:
        raise ModelMissing("wav2lip.no_torch") from error
    load_network(path)


def _stock(path: Path, checkpoint: Checkpoint) -> str:
    if path.is_file():
        return f"{path.stat().st_size / 1e6:.0f} MB"
    return f"no (about {checkpoint.megabytes} MB)"


def _sources(owner: Owner) -> list[str]:
    return list(dict.fromkeys(one.source for part in owner.parts for one in part.files))


def _needed(owner: Owner) -> str:
    alternatives = any(len(part.files) > 1 for part in owner.parts)
    needed = "Any one file will do; the first that is there is taken." if alternatives else "All files are needed."
    if alternatives and len(owner.parts) > 1:
        needed = "One file for each purpose is needed; of several, the first that is there is taken."
    return f"{needed} Downloaded when first needed." if comes_by_itself(owner, settings()) else needed


def _acknowledged(owner: Owner) -> str:
    if not owner.research_only:
        return ""
    if owner.name in settings().acknowledged_licences:
        return "You have acknowledged that."
    return f"Acknowledge it once with HEYGEM_ACKNOWLEDGED_LICENCES={owner.name}."


def _say(text: str) -> None:
    output.print(Text(text.strip()), soft_wrap=True)
