"""A presenter's video, tracked once and used for every voice."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from time import perf_counter

from heygem_pipeline.clip.photograph_motion import PhotographMotion, in_motion
from heygem_pipeline.clip.sidecar import NOTHING_SAID, Sidecar, read_sidecar
from heygem_pipeline.errors import BadInput, StageMissing
from heygem_pipeline.faces.tracker import FaceTracker
from heygem_pipeline.faces.tracking import track_faces
from heygem_pipeline.faces.tracks import FaceTracks, TrackedUpload, read_tracks, write_tracks
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.probe import probe_sound
from heygem_pipeline.media.sound import sound_beginning
from heygem_pipeline.media.trim import WHOLE, Trim
from heygem_pipeline.photographs.photograph import VERSION
from heygem_pipeline.prefetch import beside
from heygem_pipeline.settings import DEFAULTS, Settings, UploadLimits
from heygem_pipeline.settings import settings as settings_of_environment
from heygem_pipeline.speech.analysis import analyse_speech
from heygem_pipeline.speech.features import SpeechFeatures, read_features, write_features
from heygem_pipeline.storage.fingerprint import file_state, fingerprint, require_unchanged
from heygem_pipeline.storage.parquet import read_metadata
from heygem_pipeline.storage.version_strings import name_and_version


def current_tracker(settings: Settings, sidecar: Sidecar = NOTHING_SAID) -> str:
    """Name and version of the tracker for a presenter with this sidecar."""
    return _version(sidecar.tracker_for(settings), sidecar.moves(), sidecar.trim)


def _version(tracker: FaceTracker, moving: bool, trim: Trim) -> str:
    """What tracks are made by: also the motion of a photograph that moves, and the part of a video that is used."""
    version = name_and_version(tracker.name, tracker.version)
    version = f"{version} moving {VERSION}" if moving else version
    return version if trim.is_whole else f"{version} of {trim.written}"


@dataclass(frozen=True)
class Presenter:
    """A tracked presenter.

    Attributes:
        path: the upload.
        fingerprint: of its content when it was tracked.
        tracker: its name and version.
        seconds: what tracking took.
        own_speech: features of the video's own sound, None where it has none that can be used.
        limits: what the upload has to keep whenever it is opened.
        state: of the file when it was tracked, as ``file_state`` says it; "" where that is not known.
        tracked: the upload as it was opened for tracking, where that was in this process.
        motion: of a photograph that moves.
        trim: the part of it that was tracked, and is shown.
    """

    path: Path
    fingerprint: str
    tracker: str
    tracks: FaceTracks
    own_speech: SpeechFeatures | None
    seconds: float
    limits: UploadLimits = field(default=DEFAULTS, repr=False)
    state: str = ""
    tracked: FrameSequence | None = field(default=None, repr=False, compare=False)
    motion: PhotographMotion | None = None
    trim: Trim = WHOLE

    def open(self) -> FrameSequence:
        """Open the upload for reading frames that belong to the tracks.

        Raises UploadReplaced if it is no longer what was tracked, StageMissing if settings have changed its timeline.
        """
        require_unchanged(self.path, self.fingerprint, self.state)
        sequence = self._opened.again()
        if (sequence.frame_rate, sequence.info.frame_count) != (self.tracks.frame_rate, len(self.tracks)):
            raise StageMissing("stage.other_frame_rate", file=self.path.name)
        return sequence

    @cached_property
    def _opened(self) -> FrameSequence:
        if self.tracked is not None and self.tracked.limits == self.limits:
            return self.tracked
        sequence = FrameSequence.open(self.path, self.limits, self.trim)
        if self.motion is None:
            return sequence
        if self.motion.version != VERSION:
            raise StageMissing("stage.other_motion", file=self.path.name)
        return in_motion(sequence, self.fingerprint, self.motion.face)


def open_presenter(path: Path, settings: Settings, moving: bool = False) -> FrameSequence:
    """Open an upload that is to be tracked: the part of it that its sidecar says is used.

    Raises BadInput.

    Args:
        moving: whether a photograph moves where its sidecar does not say it.
    """
    sidecar = read_sidecar(path)
    sequence = FrameSequence.open(path, settings, sidecar.trim)
    return in_motion(sequence, fingerprint(path), sidecar.face) if sidecar.moves(moving) else sequence


def track_presenter(
    path: str | os.PathLike[str],
    progress: Callable[[int], None] | None = None,
    sequence: FrameSequence | None = None,
    settings: Settings | None = None,
    moving: bool = False,
) -> Presenter:
    """Track an upload.

    Args:
        progress: called with the number of frames done.
        sequence: the upload, where it is open already.
        settings: default, those of the environment.
        moving: as of ``open_presenter``.

    Raises:
        BadInput: It cannot be a presenter.
        NotReady: Its tracker cannot work.
    """
    settings = settings or settings_of_environment()
    started = perf_counter()
    path = Path(path)
    state = file_state(path)
    mark = fingerprint(path)
    sidecar = read_sidecar(path)
    sequence = sequence or FrameSequence.open(path, settings, sidecar.trim)
    if sequence.motion is None and sidecar.moves(moving):
        sequence = in_motion(sequence, mark, sidecar.face)
    tracker = sidecar.tracker_for(settings)
    limits = sidecar.limits(settings)
    heard = beside(partial(_own_speech, sequence, settings))
    tracks = track_faces(sequence, tracker, progress, limits)
    own_speech = heard.result()
    version, seconds = _version(tracker, sidecar.moves(moving), sequence.trim), perf_counter() - started
    motion = PhotographMotion.of(sequence)
    opened = settings, state, sequence, motion, sequence.trim
    return Presenter(path, mark, version, tracks, own_speech, seconds, *opened)


def save_presenter(presenter: Presenter, tracks: Path, own_speech: Path) -> None:
    """Store tracks and own speech as Parquet; the tracks last, so that they are there only when both are."""
    own_speech.unlink(missing_ok=True)
    if presenter.own_speech is not None:
        write_features(presenter.own_speech, own_speech)
    known = {
        "fingerprint": presenter.fingerprint,
        "tracker": presenter.tracker,
        "seconds": str(presenter.seconds),
        "state": presenter.state,
    }
    if presenter.motion is not None:
        known["motion"] = presenter.motion.as_text()
    known |= {} if presenter.trim.is_whole else {"trim": presenter.trim.written}
    write_tracks(presenter.tracks, tracks, known)


def load_presenter(
    tracks: Path,
    own_speech: Path,
    path: Path,
    limits: UploadLimits,
    encodings: Path | None = None,
    most_bytes: int = 0,
    lips: Path | None = None,
) -> Presenter:
    """Return what ``save_presenter`` stored for the upload at ``path``.

    encodings, most_bytes, lips: where engines may keep what they compute of the presenter alone; see ``TrackedUpload``.
    """
    known = read_metadata(tracks)
    speech = read_features(own_speech) if own_speech.exists() else None
    seconds, state = float(known["seconds"]), known.get("state", "")
    fingerprint, tracker = known["fingerprint"], known["tracker"]
    upload = None if encodings is None else TrackedUpload(fingerprint, tracker, encodings, most_bytes, lips)
    followed = replace(read_tracks(tracks), upload=upload)
    motion = PhotographMotion.from_text(known["motion"]) if "motion" in known else None
    trim = Trim.read(known.get("trim", ""))
    return Presenter(path, fingerprint, tracker, followed, speech, seconds, limits, state, motion=motion, trim=trim)


def _own_speech(sequence: FrameSequence, limits: UploadLimits) -> SpeechFeatures | None:
    if not sequence.info.has_sound:
        return None
    path = sequence.info.path
    try:
        sound = probe_sound(path, limits)
        delay = sound_beginning(path, sound.track) - sequence.beginning
        if abs(delay) > limits.max_minutes * 60:
            return None
        longest = None if sequence.trim.is_whole else sequence.info.duration
        return analyse_speech(path, limits, sound, delay, longest)
    except BadInput:
        # It only helps to know how this person speaks: a presenter with useless sound is a presenter still.
        return None
