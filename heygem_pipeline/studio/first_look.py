"""The first look at an upload, taken in a process of its own: what it is, a picture of it, and what is doubtful.

The pipeline's own analysis decides; this one only says earlier what can be said early.
"""

import ctypes
import json
import multiprocessing
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from heygem_pipeline.errors import BadInput
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.uploads.registry import UploadKind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from heygem_pipeline.media.frame_sequence import FrameSequence

MOMENTS = 9
"""Frames looked at, evenly spread."""

SEVERAL_FACES = ("face.one_other", "face.others")

PICTURE_SIDE = 640
"""Pixels of the longer side of the pictures that are kept."""

Found = TypeVar("Found")

PR_SET_PDEATHSIG = 1

MOST_BYTES = 3 * 2**30
"""Memory of a worker: the trackers that are networks need half of it."""

PROCESSOR_SECONDS = 60
"""Of a look, all its threads together: how long it takes by the clock hangs on what else the machine does."""

SECONDS = 240
"""By the clock: what waits for a disk uses no processor."""


@dataclass(frozen=True)
class FirstLook:
    """size, modified: of the file, as ``stat`` tells. seconds: length, None for a still picture.

    refused: why the file cannot be used. warnings: doubts. picture: is there one of it? trouble: what is wrong with
    the frame of which there is a picture too. faces: those in the picture where there are several: left, top, right and
    bottom of each, as shares of its width and height.
    """

    size: int
    modified: int
    seconds: float | None = None
    width: int = 0
    height: int = 0
    refused: Message | None = None
    warnings: list[Message] = field(default_factory=list)
    picture: bool = False
    trouble: Message | None = None
    faces: list[list[float]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The same as JSON values."""
        messages = {
            "refused": self.refused.as_json() if self.refused is not None else None,
            "warnings": [warning.as_json() for warning in self.warnings],
            "trouble": self.trouble.as_json() if self.trouble is not None else None,
        }
        return {name: getattr(self, name) for name in FirstLook.__dataclass_fields__} | messages

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "FirstLook":
        """What ``as_json`` made. Raises KeyError or TypeError for what is to be looked at again."""
        if "faces" not in stored and any(one.get("code") in SEVERAL_FACES for one in stored["warnings"]):
            raise KeyError("faces")
        messages = {
            "refused": _message(stored["refused"]),
            "warnings": [Message.from_json(warning) for warning in stored["warnings"]],
            "trouble": _message(stored["trouble"]),
        }
        return FirstLook(**{**stored, **messages})


def _message(stored: Mapping[str, Any] | None) -> Message | None:
    return None if stored is None else Message.from_json(stored)


def record_of(place: Path) -> Path:
    """Where it is written what was seen of a file. place: ``DataFolders.first_look``, here and below."""
    return place.with_suffix(".json")


def picture_of(place: Path) -> Path:
    """The picture of a presenter."""
    return place.with_suffix(".jpg")


def trouble_of(place: Path) -> Path:
    """The frame that shows what is wrong."""
    return place.with_suffix(".trouble.jpg")


def share_of(place: Path) -> Path:
    """How much of it was looked at, while that goes on."""
    return place.with_suffix(".share")


def become_worker() -> None:
    """Take little memory; be told to stop when the page's process dies (Linux, prctl(2)); leave Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    os.nice(5)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def in_limited_time(look: Callable[[], Found]) -> Found:
    """Look; a worker process that takes longer than PROCESSOR_SECONDS or SECONDS ends, whatever library it is in."""
    if multiprocessing.parent_process() is None:
        return look()
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return look()
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)


def take_in(folders: DataFolders, path: Path, photographs_move: bool) -> None:
    """Give a new upload its partition key now; the sensor would in some seconds."""
    from heygem_pipeline.runs.instance import open_instance
    from heygem_pipeline.runs.partitions import take_in_uploads

    with open_instance(folders) as instance:
        take_in_uploads(instance, folders, lambda found: found == path, photographs_move)


def examine(kind: UploadKind, path: Path, place: Path, settings: Settings) -> FirstLook:
    """Look at a file, and keep what was found."""
    from heygem_pipeline.synthesis.script import read_script

    status = path.stat()
    look = FirstLook(status.st_size, status.st_mtime_ns)
    try:
        if kind is UploadKind.SCRIPT:
            read_script(path, settings)
        elif kind is UploadKind.VOICE:
            look = _examine_voice(path, look, settings)
        else:
            look = _examine_presenter(path, place, look, settings)
    except BadInput as error:
        look = replace(look, refused=error.message)
    finally:
        share_of(place).unlink(missing_ok=True)
    with atomic_path(record_of(place)) as temporary:
        temporary.write_text(json.dumps(look.as_json(), ensure_ascii=False), encoding="utf-8")
    return look


def _examine_voice(path: Path, look: FirstLook, settings: Settings) -> FirstLook:
    from heygem_pipeline.clip.voice import open_voice
    from heygem_pipeline.speech.analysis import analyse_speech
    from heygem_pipeline.speech.clarity import speech_warnings

    speech = analyse_speech(path, settings, open_voice(path, settings))
    return replace(look, seconds=float(speech.duration), warnings=speech_warnings(speech, settings))


def _examine_presenter(path: Path, place: Path, look: FirstLook, settings: Settings) -> FirstLook:
    from heygem_pipeline.clip.photograph_motion import PhotographMotion
    from heygem_pipeline.clip.presenter import open_presenter
    from heygem_pipeline.clip.sidecar import read_sidecar
    from heygem_pipeline.faces.fitness import fitness_warnings
    from heygem_pipeline.faces.tracking import track_faces
    from heygem_pipeline.media.frame_sequence import FrameSequence

    sidecar = read_sidecar(path)
    settings = sidecar.limits(settings)
    sequence = FrameSequence.open(path, settings, sidecar.trim)
    tracker = replace(sidecar, tracker=None).tracker_for(settings)
    motion = PhotographMotion.of(open_presenter(path, settings)) if sidecar.moves() else None
    info = sequence.info
    seconds = None if info.still else float(info.duration)
    look = replace(look, seconds=seconds, width=info.width, height=info.height)
    troubles: list[BadInput] = []
    good = 0
    moments = list(_moments(sequence))
    share_of(place).parent.mkdir(parents=True, exist_ok=True)
    for number, moment in enumerate(moments):
        share_of(place).write_text(f"{number / len(moments):.2f}", encoding="utf-8")
        try:
            tracks = track_faces(moment, tracker, limits=settings)
        except BadInput as error:
            if not troubles:
                _keep_picture(moment, trouble_of(place))
            troubles.append(error)
            continue
        if not good:
            _keep_picture(moment, picture_of(place))
            warnings = fitness_warnings(tracks, settings) + (motion.hints if motion is not None else [])
            look = replace(look, warnings=warnings, picture=True)
            if tracks.other_faces:
                look = replace(look, faces=_faces_in(moment))
        good += 1
    if not good:
        _keep_picture(moments[0], picture_of(place))
    look = replace(look, picture=True, trouble=troubles[0].message if troubles else None)
    if len(troubles) > good:
        return replace(look, refused=troubles[0].message)
    return look


def _faces_in(moment: "FrameSequence") -> list[list[float]]:
    from heygem_pipeline.faces.mesh_detection import detect_faces
    from heygem_pipeline.faces.mesh_networks import MeshNetworks

    frame: NDArray[np.uint8] = next(iter(moment.frames()))
    height, width = frame.shape[:2]
    scale = (width, height, width, height)
    boxes = [one.box for one in detect_faces(MeshNetworks(), frame)]
    return [
        [round(min(1.0, max(0.0, edge / whole)), 4) for edge, whole in zip(box, scale, strict=True)] for box in boxes
    ]


def _moments(sequence: "FrameSequence") -> Iterator["FrameSequence"]:
    """Templates of a single frame each, spread over the whole."""
    import numpy as np

    last = sequence.info.frame_count - 1
    for index in np.unique(np.linspace(0, last, MOMENTS + 2).round().astype(int)[1:-1]):
        info = replace(sequence.info, frame_count=1)
        yield replace(sequence, info=info, times=sequence.times[index : index + 1])


def _keep_picture(moment: "FrameSequence", destination: Path) -> None:
    import cv2

    frame: NDArray[np.uint8] = next(iter(moment.frames()))
    share = min(1.0, PICTURE_SIDE / max(frame.shape[:2]))
    size = max(1, round(frame.shape[1] * share)), max(1, round(frame.shape[0] * share))
    small = cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
    with atomic_path(destination) as temporary:
        _, encoded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 82])
        temporary.write_bytes(encoded.tobytes())
