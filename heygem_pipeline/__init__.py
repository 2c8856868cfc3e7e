"""Talking-head clips: a voice and a presenter in, a finished clip out. See ``docs/api.md``.

What ``__all__`` names is the interface and keeps working from version to version; every other name in this package is
private and may change at any time. Importing the package is quick: each name is loaded when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from heygem_pipeline.clip.generate import StageProgress, generate_clip
    from heygem_pipeline.clip.presenter import Presenter, track_presenter
    from heygem_pipeline.clip.voice import Voice, analyse_voice
    from heygem_pipeline.errors import BadInput, EncodingFailed, NotReady, PipelineError
    from heygem_pipeline.faces.head_frame import HeadFrame
    from heygem_pipeline.faces.tracker import FaceTracker, FollowedFace
    from heygem_pipeline.faces.tracks import FaceTracks
    from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch
    from heygem_pipeline.media.frame_sequence import FrameSequence
    from heygem_pipeline.messages.message import Message
    from heygem_pipeline.quality.report import Check, ClipReport, Verdict
    from heygem_pipeline.speech.features import SpeechFeatures

    __version__: str

__all__ = [
    "BadInput",
    "Check",
    "ClipReport",
    "EncodingFailed",
    "FaceTracker",
    "FaceTracks",
    "FollowedFace",
    "FrameSequence",
    "HeadFrame",
    "LipSyncEngine",
    "Message",
    "MouthPatch",
    "NotReady",
    "PipelineError",
    "Presenter",
    "SpeechFeatures",
    "StageProgress",
    "Verdict",
    "Voice",
    "__version__",
    "analyse_voice",
    "generate_clip",
    "track_presenter",
]

_MODULES = {
    "clip.generate": ("StageProgress", "generate_clip"),
    "clip.presenter": ("Presenter", "track_presenter"),
    "clip.voice": ("Voice", "analyse_voice"),
    "errors": ("BadInput", "EncodingFailed", "NotReady", "PipelineError"),
    "faces.head_frame": ("HeadFrame",),
    "faces.tracker": ("FaceTracker", "FollowedFace"),
    "faces.tracks": ("FaceTracks",),
    "lipsync.engine": ("LipSyncEngine", "MouthPatch"),
    "media.frame_sequence": ("FrameSequence",),
    "messages.message": ("Message",),
    "quality.report": ("Check", "ClipReport", "Verdict"),
    "speech.features": ("SpeechFeatures",),
}
"""Where each name is loaded from when it is first used."""


def __getattr__(name: str) -> object:
    if name == "__version__":
        value: object = import_module("importlib.metadata").version("heygem-pipeline")
    else:
        module = next((module for module, names in _MODULES.items() if name in names), None)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
