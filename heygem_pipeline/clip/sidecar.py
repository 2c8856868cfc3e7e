"""The file beside a presenter that says how this one is handled: ``anna.yaml`` for ``anna.mp4``."""

import errno
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG

import yaml

from heygem_pipeline.errors import SidecarWrong
from heygem_pipeline.faces.tracker_registry import TRACKERS
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.file_names import sidecar_of


@dataclass(frozen=True)
class Sidecar:
    """What a sidecar says.

    Attributes:
        tracker: name of the presenter's tracker; None, the usual one.
        make_anyway: also where the head is turned further than is drawn well.
    """

    tracker: str | None = None
    make_anyway: bool = False

    def limits(self, settings: Settings) -> Settings:
        """The settings with what is said of this presenter's head."""
        return settings.model_copy(update={"max_yaw_degrees": 90.0}) if self.make_anyway else settings


NOTHING_SAID = Sidecar()

LARGEST_FILE = 64 * 1024
"""Bytes. It needs two lines."""


def chosen_tracker(upload: Path, usual: str) -> str:
    """Name of the tracker for a presenter: its sidecar's, else the usual one. Raises SidecarWrong."""
    return read_sidecar(upload).tracker or usual


def read_sidecar(upload: Path) -> Sidecar:
    """Return what is said of a presenter; what its sidecar does not say, or without one, is as usual.

    Raises SidecarWrong.
    """
    path = sidecar_of(upload)
    try:
        written = yaml.safe_load(_content(path))
    except FileNotFoundError:
        return NOTHING_SAID
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return NOTHING_SAID
        raise SidecarWrong("sidecar.no_yaml", file=path.name) from error
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        raise SidecarWrong("sidecar.no_yaml", file=path.name) from error
    if written is None:
        return NOTHING_SAID
    if not isinstance(written, dict) or written.keys() - {"tracker", "make_anyway"}:
        raise SidecarWrong("sidecar.other_key", file=path.name)
    tracker, make_anyway = written.get("tracker"), written.get("make_anyway", False)
    if "tracker" in written and (not isinstance(tracker, str) or tracker not in TRACKERS):
        names = ", ".join(TRACKERS)
        raise SidecarWrong("sidecar.unknown_tracker", file=path.name, tracker=repr(tracker), known=names)
    if not isinstance(make_anyway, bool):
        raise SidecarWrong("sidecar.make_anyway", file=path.name)
    return Sidecar(tracker, make_anyway)


def write_make_anyway(upload: Path) -> None:
    """Have a presenter made however far the head is turned; what its sidecar says besides stays.

    Raises SidecarWrong where that cannot be understood.
    """
    said = read_sidecar(upload)
    if said.make_anyway:
        return
    path = sidecar_of(upload)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    with atomic_path(path) as temporary:
        temporary.write_text(_with_make_anyway(text, said), encoding="utf-8")


def _with_make_anyway(text: str, said: Sidecar) -> str:
    """A sidecar's text with one line more, or written anew where that is not how it is laid out."""
    whole = ({} if said.tracker is None else {"tracker": said.tracker}) | {"make_anyway": True}
    kept = [line for line in text.splitlines() if not line.startswith("make_anyway")]
    longer = "\n".join([*kept, "make_anyway: true", ""])
    try:
        fits = yaml.safe_load(longer) == whole
    except yaml.YAMLError:
        fits = False
    return longer if fits else yaml.safe_dump(whole, sort_keys=False)


def _content(path: Path) -> str:
    """Raises OSError, and ValueError for what is no file, as a pipe that nobody writes to, or too long."""
    status = path.stat()
    if not S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
        raise ValueError(path.name)
    return path.read_text(encoding="utf-8")
