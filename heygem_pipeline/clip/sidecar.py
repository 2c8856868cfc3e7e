"""The file beside a presenter that says how this one is handled: ``anna.yaml`` for ``anna.mp4``."""

import errno
from dataclasses import dataclass, field, replace
from pathlib import Path
from stat import S_ISREG
from typing import Any

import yaml

from heygem_pipeline.errors import SidecarWrong
from heygem_pipeline.faces.boxes import FacePlace
from heygem_pipeline.faces.tracker import ChoosingTracker, FaceTracker
from heygem_pipeline.faces.tracker_registry import TRACKERS, load_tracker
from heygem_pipeline.media.formats import PICTURE_SUFFIXES
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.file_names import sidecar_of


@dataclass(frozen=True)
class Sidecar:
    """What a sidecar says.

    Attributes:
        tracker: name of the presenter's tracker; None, the usual one.
        make_anyway: also where the head is turned further than is drawn well.
        face: of several faces, the one that is made to speak: the nearest to this place.
        moving: whether a photograph blinks and moves its head; None where that is not said.
        of_photograph: whether its presenter is a photograph.
    """

    tracker: str | None = None
    make_anyway: bool = False
    face: FacePlace | None = None
    moving: bool | None = None
    of_photograph: bool = field(default=False, compare=False)

    @property
    def content(self) -> dict[str, Any]:
        """As a sidecar says it."""
        said = {} if self.tracker is None else {"tracker": self.tracker}
        said |= {"make_anyway": True} if self.make_anyway else {}
        said |= {"face": list(self.face)} if self.face is not None else {}
        return said | ({"moving": self.moving} if self.moving is not None else {})

    def moves(self, usually: bool = False) -> bool:
        """Whether the presenter is a photograph that moves. usually: where that is not said."""
        return self.of_photograph and (usually if self.moving is None else self.moving)

    def tracker_for(self, settings: Settings) -> FaceTracker:
        """What tracks the presenter. Raises SidecarWrong where it cannot follow a face that somebody chose."""
        tracker = load_tracker(self.tracker or settings.tracker, settings)
        if self.face is None:
            return tracker
        if not isinstance(tracker, ChoosingTracker):
            raise SidecarWrong("sidecar.face_not_followed", tracker=tracker.name)
        return tracker.at(self.face)

    def limits(self, settings: Settings) -> Settings:
        """The settings with what is said of this presenter's head."""
        return settings.model_copy(update={"max_yaw_degrees": 90.0}) if self.make_anyway else settings


NOTHING_SAID = Sidecar()

KEYS = {"tracker", "make_anyway", "face", "moving"}

LARGEST_FILE = 64 * 1024
"""Bytes. It needs four lines."""


def chosen_tracker(upload: Path, usual: str) -> str:
    """Name of the tracker for a presenter: its sidecar's, else the usual one. Raises SidecarWrong."""
    return read_sidecar(upload).tracker or usual


def read_sidecar(upload: Path) -> Sidecar:
    """Return what is said of a presenter; what its sidecar does not say, or without one, is as usual.

    Raises SidecarWrong.
    """
    path, nothing = sidecar_of(upload), replace(NOTHING_SAID, of_photograph=is_photograph(upload))
    try:
        written = yaml.safe_load(_content(path))
    except FileNotFoundError:
        return nothing
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return nothing
        raise SidecarWrong("sidecar.no_yaml", file=path.name) from error
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        raise SidecarWrong("sidecar.no_yaml", file=path.name) from error
    if written is None:
        return nothing
    if not isinstance(written, dict) or written.keys() - KEYS:
        raise SidecarWrong("sidecar.other_key", file=path.name)
    tracker, make_anyway = written.get("tracker"), written.get("make_anyway", False)
    if "tracker" in written and (not isinstance(tracker, str) or tracker not in TRACKERS):
        names = ", ".join(TRACKERS)
        raise SidecarWrong("sidecar.unknown_tracker", file=path.name, tracker=repr(tracker), known=names)
    if not isinstance(make_anyway, bool):
        raise SidecarWrong("sidecar.make_anyway", file=path.name)
    moving = written.get("moving")
    if "moving" in written and not isinstance(moving, bool):
        raise SidecarWrong("sidecar.moving", file=path.name)
    return Sidecar(tracker, make_anyway, _face(written.get("face"), path.name), moving, nothing.of_photograph)


def is_photograph(upload: Path) -> bool:
    """Whether a presenter is a photograph, by the ending of its name."""
    return upload.suffix.lower() in PICTURE_SUFFIXES


def _face(written: object, file: str) -> FacePlace | None:
    if written is None:
        return None
    if not isinstance(written, list) or len(written) != 2 or not all(_is_share(one) for one in written):
        raise SidecarWrong("sidecar.face", file=file)
    return FacePlace(*map(float, written))


def _is_share(one: object) -> bool:
    return isinstance(one, int | float) and not isinstance(one, bool) and 0 <= one <= 1


def write_make_anyway(upload: Path) -> None:
    """Have a presenter made however far the head is turned; what its sidecar says besides stays.

    Raises SidecarWrong where that cannot be understood.
    """
    said = read_sidecar(upload)
    if not said.make_anyway:
        _write(upload, "make_anyway", "make_anyway: true", replace(said, make_anyway=True))


def write_face(upload: Path, place: FacePlace | None) -> None:
    """Have the face nearest to a place made to speak; None, the usual one. What the sidecar says besides stays.

    Raises SidecarWrong where that cannot be understood.
    """
    said = read_sidecar(upload)
    if said.face != place:
        line = "" if place is None else f"face: [{place.x}, {place.y}]"
        _write(upload, "face", line, replace(said, face=place))


def write_moving(upload: Path, moving: bool) -> None:
    """Have a photograph move, or keep still. What the sidecar says besides stays.

    Raises SidecarWrong where that cannot be understood.
    """
    said = read_sidecar(upload)
    if said.moving is not moving:
        _write(upload, "moving", f"moving: {str(moving).lower()}", replace(said, moving=moving))


def remove_moving(upload: Path) -> None:
    """Remove the sidecar of a photograph that is gone, if it says no more than whether that moves."""
    try:
        said = read_sidecar(upload)
    except SidecarWrong:
        return
    if said.of_photograph and said.moving is not None and said == Sidecar(moving=said.moving):
        sidecar_of(upload).unlink(missing_ok=True)


def _write(upload: Path, key: str, line: str, meant: Sidecar) -> None:
    path = sidecar_of(upload)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    with atomic_path(path) as temporary:
        temporary.write_text(_with_line(text, key, line, meant), encoding="utf-8")


def _with_line(text: str, key: str, line: str, meant: Sidecar) -> str:
    """A sidecar's text with one line in place of a key's, or written anew where that is not how it is laid out."""
    kept = [one for one in text.splitlines() if not one.startswith(key)]
    changed = "\n".join([*kept, *([line] if line else []), ""])
    try:
        fits = (yaml.safe_load(changed) or {}) == meant.content
    except yaml.YAMLError:
        fits = False
    return changed if fits else yaml.safe_dump(meant.content, sort_keys=False)


def _content(path: Path) -> str:
    """Raises OSError, and ValueError for what is no file, as a pipe that nobody writes to, or too long."""
    status = path.stat()
    if not S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
        raise ValueError(path.name)
    return path.read_text(encoding="utf-8")
