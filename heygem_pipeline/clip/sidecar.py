"""The file beside an upload that says how this one is handled: ``anna.yaml`` for ``anna.mp4``."""

import errno
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import isfinite
from pathlib import Path
from stat import S_ISREG
from typing import Any, TypeGuard

import yaml

from heygem_pipeline.errors import SidecarWrong
from heygem_pipeline.faces.boxes import FacePlace
from heygem_pipeline.faces.tracker import ChoosingTracker, FaceTracker
from heygem_pipeline.faces.tracker_registry import TRACKERS, load_tracker
from heygem_pipeline.media.formats import PICTURE_SUFFIXES
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.probe import probe_sound
from heygem_pipeline.media.trim import WHOLE, Trim
from heygem_pipeline.settings import Settings, UploadLimits
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.paths import sidecar_of


@dataclass(frozen=True)
class Sidecar:
    """What a sidecar says.

    Attributes:
        tracker: name of the presenter's tracker; None, the usual one.
        make_anyway: also where the head is turned further than is drawn well.
        face: of several faces, the one that is made to speak: the nearest to this place.
        moving: whether a photograph blinks and moves its head; None where that is not said.
        of_photograph: whether its presenter is a photograph.
        trim: the part of the video that is used.
    """

    tracker: str | None = None
    make_anyway: bool = False
    face: FacePlace | None = None
    moving: bool | None = None
    of_photograph: bool = field(default=False, compare=False)
    trim: Trim = WHOLE

    @property
    def content(self) -> dict[str, Any]:
        """As a sidecar says it."""
        said = {} if self.tracker is None else {"tracker": self.tracker}
        said |= {"make_anyway": True} if self.make_anyway else {}
        said |= {"face": list(self.face)} if self.face is not None else {}
        said |= {"moving": self.moving} if self.moving is not None else {}
        return said | _trim_content(self.trim)

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

TRIM_KEYS = {"start", "end"}

KEYS = {"tracker", "make_anyway", "face", "moving"} | TRIM_KEYS

LARGEST_FILE = 64 * 1024
"""Bytes. It needs a line for each key."""


def chosen_tracker(upload: Path, usual: str) -> str:
    """Name of the tracker for a presenter: its sidecar's, else the usual one. Raises SidecarWrong."""
    return read_sidecar(upload).tracker or usual


def read_sidecar(upload: Path) -> Sidecar:
    """Return what is said of a presenter; what its sidecar does not say, or without one, is as usual.

    Raises SidecarWrong.
    """
    path, nothing = sidecar_of(upload), replace(NOTHING_SAID, of_photograph=is_photograph(upload))
    written = _written(path)
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
    face, trim = _face(written.get("face"), path.name), _trim(written, path.name)
    return Sidecar(tracker, make_anyway, face, moving, nothing.of_photograph, trim)


def is_photograph(upload: Path) -> bool:
    """Whether a presenter is a photograph, by the ending of its name."""
    return upload.suffix.lower() in PICTURE_SUFFIXES


def read_trim(voice: Path) -> Trim:
    """The part of a recording that is used, as the file beside it says: ``lesson.yaml`` for ``lesson.mp3``.

    What says nothing of it is another's file. Raises SidecarWrong.
    """
    path = sidecar_of(voice)
    written = _written(path)
    if not isinstance(written, dict) or not written.keys() & TRIM_KEYS:
        return WHOLE
    return _trim(written, path.name)


def _written(path: Path) -> object:
    """What a sidecar holds; None where there is none."""
    try:
        return yaml.safe_load(_content(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise SidecarWrong("sidecar.no_yaml", file=path.name) from error
    except (ValueError, TypeError, RecursionError, yaml.YAMLError) as error:
        raise SidecarWrong("sidecar.no_yaml", file=path.name) from error


def _trim(written: dict[Any, Any], file: str) -> Trim:
    start, end = written.get("start", 0), written.get("end")
    if not _is_number(start) or not (end is None or _is_number(end)):
        raise SidecarWrong("sidecar.trim", file=file)
    try:
        return Trim.of(start, end)
    except ValueError as error:
        raise SidecarWrong("sidecar.trim", file=file) from error


def _trim_content(trim: Trim) -> dict[str, float]:
    said = {"start": float(trim.start)} if trim.start else {}
    return said | ({"end": float(trim.end)} if trim.end is not None else {})


def _face(written: object, file: str) -> FacePlace | None:
    if written is None:
        return None
    if not isinstance(written, list) or len(written) != 2 or not all(_is_share(one) for one in written):
        raise SidecarWrong("sidecar.face", file=file)
    return FacePlace(*map(float, written))


def _is_share(one: object) -> bool:
    return _is_number(one) and 0 <= one <= 1


def _is_number(one: object) -> TypeGuard[float]:
    return isinstance(one, int | float) and not isinstance(one, bool) and isfinite(one)


def write_make_anyway(upload: Path) -> None:
    """Have a presenter made however far the head is turned; what its sidecar says besides stays.

    Raises SidecarWrong where that cannot be understood.
    """
    said = read_sidecar(upload)
    if not said.make_anyway:
        _write(upload, {"make_anyway": "true"}, replace(said, make_anyway=True).content)


def write_face(upload: Path, place: FacePlace | None) -> None:
    """Have the face nearest to a place made to speak; None, the usual one. What the sidecar says besides stays.

    Raises SidecarWrong where that cannot be understood.
    """
    said = read_sidecar(upload)
    if said.face != place:
        value = "" if place is None else f"[{place.x}, {place.y}]"
        _write(upload, {"face": value}, replace(said, face=place).content)


def write_moving(upload: Path, moving: bool) -> None:
    """Have a photograph move, or keep still. What the sidecar says besides stays.

    Raises SidecarWrong where that cannot be understood.
    """
    said = read_sidecar(upload)
    if said.moving is not moving:
        _write(upload, {"moving": str(moving).lower()}, replace(said, moving=moving).content)


def remove_moving(upload: Path) -> None:
    """Remove the sidecar of a photograph that is gone, if it says no more than whether that moves."""
    try:
        said = read_sidecar(upload)
    except SidecarWrong:
        return
    if said.of_photograph and said.moving is not None and said == Sidecar(moving=said.moving):
        sidecar_of(upload).unlink(missing_ok=True)


def write_trim(upload: Path, trim: Trim) -> None:
    """Have a part of a recording or a presenter's video used, or all of it. What its sidecar says besides stays.

    Raises SidecarWrong where that cannot be understood.
    """
    path = sidecar_of(upload)
    said = _written(path)
    if said is not None and not isinstance(said, dict):
        raise SidecarWrong("sidecar.no_yaml", file=path.name)
    told = _trim_content(trim)
    meant = {key: value for key, value in (said or {}).items() if key not in TRIM_KEYS} | told
    if meant != (said or {}):
        _write(upload, {key: str(told.get(key, "")) for key in ("start", "end")}, meant)


def _write(upload: Path, values: Mapping[str, str], meant: Mapping[Any, Any]) -> None:
    path = sidecar_of(upload)
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    changed = _with_lines(text, values, meant)
    if not changed.strip():
        path.unlink(missing_ok=True)
        return
    with atomic_path(path) as temporary:
        temporary.write_text(changed, encoding="utf-8")


def _with_lines(text: str, values: Mapping[str, str], meant: Mapping[Any, Any]) -> str:
    """A sidecar's text with a line for each value in place of the old one, or written anew where that is not how it is
    laid out. values: "" takes the line away."""
    kept = [one for one in text.splitlines() if not one.startswith(tuple(values))]
    kept += [f"{key}: {value}" for key, value in values.items() if value]
    changed = "\n".join([*kept, ""]) if kept else ""
    try:
        fits = (yaml.safe_load(changed) or {}) == meant
    except yaml.YAMLError:
        fits = False
    return changed if fits else yaml.safe_dump(dict(meant), sort_keys=False, allow_unicode=True)


def _content(path: Path) -> str:
    """Raises OSError, and ValueError for what is no file, as a pipe that nobody writes to, or too long."""
    status = path.stat()
    if not S_ISREG(status.st_mode) or status.st_size > LARGEST_FILE:
        raise ValueError(path.name)
    return path.read_text(encoding="utf-8")


def use_part_of_voice(recording: Path, trim: Trim, limits: UploadLimits) -> None:
    """Raises NothingLeft where the recording holds nothing there, and what reading it raises."""
    trim.seconds_of(probe_sound(recording, limits).duration, recording.name)
    write_trim(recording, trim)


def use_part_of_presenter(video: Path, trim: Trim, limits: UploadLimits) -> None:
    """Raises NothingLeft where the video shows nothing there, and what opening it raises."""
    FrameSequence.open(video, limits, trim)
    write_trim(video, trim)
