"""The one way to the weights of an engine or tracker."""

from collections.abc import Sequence
from pathlib import Path

from heygem_pipeline.checkpoints.catalogue import Owner, Part, owner_called
from heygem_pipeline.checkpoints.download import download
from heygem_pipeline.errors import LicenceNotAcknowledged, ModelMissing
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import WeightSettings


def checkpoints_folder(weights: WeightSettings) -> Path:
    """The folder of the settings; a relative path means the current folder."""
    return Path.cwd() / weights.checkpoints


def weights_of(name: str, weights: WeightSettings) -> tuple[Path, ...]:
    """Return the files of weights of the engine or tracker ``name``: one a part, as the catalogue lists them.

    Nothing is opened. Of files that serve alike, the first one that is there counts: which it was belongs into the
    ``version`` of the engine. What is missing and may be downloaded is downloaded first, if the settings let it.
    Empty for what needs no such file (warp, mesh). Raises LicenceNotAcknowledged, ModelMissing, DiskFull.
    """
    owner = owner_called(name)
    if owner is None:
        return ()
    require_acknowledged(owner, weights)
    return tuple(_path_of(owner, part, weights) for part in owner.parts)


def require_obtainable(name: str, weights: WeightSettings) -> None:
    """Raise as ``weights_of`` does, but of missing files only for those that will not be downloaded; opens nothing."""
    owner = owner_called(name)
    if owner is None:
        return
    require_acknowledged(owner, weights)
    for part in owner.parts:
        if present_file(part, weights) is None and not _comes_by_itself(part, weights):
            raise _missing(owner, part, weights)


def require_acknowledged(owner: Owner, weights: WeightSettings) -> None:
    """Raise LicenceNotAcknowledged if the weights are for research only and the settings do not name them as known."""
    if owner.research_only and owner.name not in weights.acknowledged_licences:
        raise LicenceNotAcknowledged("licence.not_acknowledged", owner=owner.name, terms=owner.terms)


def is_complete(owner: Owner, weights: WeightSettings) -> bool:
    """Whether every part of an engine or tracker has a file; nothing is downloaded for the question."""
    return all(present_file(part, weights) is not None for part in owner.parts)


def comes_by_itself(owner: Owner, weights: WeightSettings) -> bool:
    """Whether what is missing will be downloaded when it is first needed."""
    return all(_comes_by_itself(part, weights) for part in owner.parts)


def present_file(part: Part, weights: WeightSettings) -> Path | None:
    """The file that serves a part now; None if none is there."""
    folder = checkpoints_folder(weights)
    return next((folder / one.file for one in part.files if (folder / one.file).is_file()), None)


def _path_of(owner: Owner, part: Part, weights: WeightSettings) -> Path:
    path = present_file(part, weights)
    if path is not None:
        return path
    if _comes_by_itself(part, weights):
        first = part.files[0]
        return download(first, checkpoints_folder(weights) / first.file)
    raise _missing(owner, part, weights)


def _comes_by_itself(part: Part, weights: WeightSettings) -> bool:
    return weights.downloads and bool(part.files[0].url)


def _missing(owner: Owner, part: Part, weights: WeightSettings) -> ModelMissing:
    first = part.files[0]
    return ModelMissing(
        "weights.missing",
        owner=_named(owner),
        files=_any_of([one.file for one in part.files]),
        source=first.url or first.source,
        folder=str(checkpoints_folder(weights)),
    )


def _named(owner: Owner) -> Message:
    match owner.kind:
        case "engine":
            return Message("owner.engine", name=owner.name)
        case "tracker":
            return Message("owner.tracker", name=owner.name)
    return Message("owner.speech_engine", name=owner.name)


def _any_of(names: Sequence[str]) -> str | Message:
    first, *rest = names
    return Message("list.or", first=first, rest=_any_of(rest)) if rest else first
