"""What may be done with an engine's clips, for people: as its makers say it."""

from importlib.metadata import PackageNotFoundError, metadata

from heygem_pipeline.checkpoints.catalogue import owner_called
from heygem_pipeline.errors import PipelineError
from heygem_pipeline.lipsync.engine_registry import ENGINES, load_engine
from heygem_pipeline.messages.message import Message, verbatim
from heygem_pipeline.settings import EngineSettings


def terms_of(name: str, settings: EngineSettings) -> Message:
    """The terms of an engine: of its weights, what it says itself (``licence``), or the licence of its package."""
    owner = owner_called(name)
    if owner is not None:
        return owner.terms
    try:
        said = getattr(load_engine(name, settings), "licence", None)
    except PipelineError:
        said = None
    if isinstance(said, Message):
        return said
    package = ENGINES.package_of(name) if name in ENGINES else name
    return verbatim(said) if isinstance(said, str) and said else _of_package(name, package)


def _of_package(name: str, package: str) -> Message:
    try:
        known = metadata(package)
    except (PackageNotFoundError, ValueError):
        return Message("licence.not_said", name=name)
    # The package of the pipeline's own engines says nothing of programs and weights from outside.
    if name not in ENGINES.added() or "License-Expression" not in known:
        return Message("licence.not_said", name=name)
    return verbatim(known["License-Expression"])
