"""Does the mouth follow the sound? Measured on the finished clip, with no downloaded network."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import NoSoundTrack
from heygem_pipeline.faces.known_faces import read_known_faces
from heygem_pipeline.faces.mouth_measure import measure_mouth
from heygem_pipeline.faces.tracker import FollowedFace
from heygem_pipeline.faces.tracking import complete_tracks, track_faces
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.media.decode import Converter, sample_frames
from heygem_pipeline.media.formats import open_media
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.probe import picture_stream, sound_stream
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.prefetch import FRAMES_AHEAD, prefetch
from heygem_pipeline.settings import DEFAULTS, UploadLimits
from heygem_pipeline.speech.cross_correlation import correlation_at_lags
from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures

TRUSTED_CONFIDENCE = 3.0
"""Readings below it are not to be acted on. Measured on 11 clips of people the network never saw, against their own and
others' speech: all 11 whole clips and 28 of 31 pieces of 3 s reached it, the pieces within half a frame of their clip
(27 of 28) or within one; of wrong pairs 6 of 110 whole clips and 1 % of the pieces of 3 s. From 3.5 on one wrong pair
is left, from 4 none."""

MEASURED_LAGS = np.arange(-48, 49) / FEATURE_RATE
"""Seconds: 15 frames of 25 either way, in steps of 0.3 frames."""
PEAK_HALF_WIDTH = 0.12
"""Seconds around the peak that belong to it; what lies further is what it is compared with."""

INDEPENDENT_PER_SECOND = 8
"""A mouth moves at up to about 4 Hz, so a second holds 8 independent values: chance correlations have a deviation of
1 / sqrt(8 x seconds)."""

PIECES = 4
PIECE_SECONDS = 5
"""Of longer clips so many pieces are measured, each where most is said in its quarter of the clip."""

LEAST_RATE = 12
"""Frames a second that are read at least, of what lasts longer than a piece: the 8 values a second of a moving mouth
show in them. Against every frame of six clips, offsets differ by at most 0.13 frames, and confidences stay above 5."""

LEAST_MOTION = 0.015
"""IOD between the 10th and 90th percentile of the gap: below, the mouth does not speak. Landmark noise stays under
0.01."""


@dataclass(frozen=True)
class SyncReading:
    """What the meter says of one clip.

    Attributes:
        offset_frames: frames of the clip by which the sound comes later than the mouth (negative: earlier), to
            fractions.
        confidence: how far the best offset stands above the others: (its correlation - their mean) / their standard
            deviation, which is taken to be at least what chance gives in a clip so short. Trust the offset at 3 or
            more; 0 where nothing can be said (no motion, no face, too short).
        seconds_measured: how much of the clip was looked at with a face in it.
    """

    offset_frames: float
    confidence: float
    seconds_measured: float


def measure_sync(
    video: Path, speech: SpeechFeatures, presenter_tracks: FaceTracks | None = None, limits: UploadLimits = DEFAULTS
) -> SyncReading:
    """Measure the offset between the speech in a clip and the mouth seen in it.

    Without them the whole clip is tracked.

    Args:
        speech: features of the clip's own sound track, or of the upload it was made with.
        presenter_tracks: of the presenter the clip was made from (played forward and back); they say where the
            face is, so that nothing needs to be detected, and of clips longer than 20 s only pieces are read.

    Raises what opening the clip raises, and without ``presenter_tracks`` what tracking raises (NoFace ...).
    """
    sequence = FrameSequence.open(video, limits)
    if presenter_tracks is None:
        tracks = track_faces(sequence, limits=limits)
        frames = np.arange(len(tracks))
    else:
        frames, cuts, step = _chosen_frames(sequence, speech)
        tracks = _read_mouth(sequence, frames, cuts, presenter_tracks, sequence.frame_rate / step)
    times = frames / float(sequence.frame_rate) + picture_after_sound(video)
    gap = measure_mouth(tracks).gap.astype(np.float64) if tracks.present.any() else np.full(len(frames), np.nan)
    return reading_of(gap, times, speech, float(sequence.frame_rate))


def reading_of(
    gap: NDArray[np.float64], times: NDArray[np.float64], speech: SpeechFeatures, frame_rate: float
) -> SyncReading:
    """Compare a tracked gap (frames,), IOD, NaN without a face, at ``times`` (seconds of the sound) with the speech."""
    seen = np.isfinite(gap)
    each = float(np.median(np.diff(times))) if len(times) > 1 else 1 / frame_rate
    seconds = float(seen.sum()) * each
    if not seen.any() or np.subtract(*np.percentile(gap[seen], (90, 10))) < LEAST_MOTION:
        return SyncReading(0.0, 0.0, seconds)
    predicted = speech.movement[:, 0]
    likeness = correlation_at_lags(predicted, gap, times, MEASURED_LAGS)
    best = int(np.argmax(likeness))
    others = likeness[np.abs(MEASURED_LAGS - MEASURED_LAGS[best]) > PEAK_HALF_WIDTH]
    spread = max(float(others.std()), (INDEPENDENT_PER_SECOND * seconds) ** -0.5)
    confidence = max(0.0, float(likeness[best] - others.mean()) / spread)
    return SyncReading(_refined(likeness, best) * frame_rate, confidence, seconds)


def _refined(likeness: NDArray[np.float64], best: int) -> float:
    """The lag of the top of the parabola through the best lag and its neighbours, seconds."""
    if not 0 < best < len(likeness) - 1:
        return float(MEASURED_LAGS[best])
    before, top, after = likeness[best - 1 : best + 2]
    bend = before - 2 * top + after
    return float(MEASURED_LAGS[best] + (0.5 * (before - after) / bend if bend < 0 else 0.0) / FEATURE_RATE)


def _chosen_frames(sequence: FrameSequence, speech: SpeechFeatures) -> tuple[NDArray[np.int64], tuple[int, ...], int]:
    """Frames to read, ascending, the positions in them at which a new piece begins, and their distance in a piece."""
    count, rate = sequence.info.frame_count, float(sequence.frame_rate)
    length = round(PIECE_SECONDS * rate)
    step = max(1, int(rate / LEAST_RATE)) if count > length else 1
    if count <= PIECES * length:
        return np.arange(0, count, step), (), step
    rows = np.arange(len(speech.activity)) / FEATURE_RATE
    said = np.cumsum(np.interp(np.arange(count) / rate, rows, speech.activity, right=0))
    pieces = []
    for part in np.array_split(np.arange(count), PIECES):
        starts = part[: len(part) - length + 1]
        start = int(starts[np.argmax(said[starts + length - 1] - said[starts])])
        pieces.append(np.arange(start, start + length, step))
    read = len(pieces[0])
    return np.concatenate(pieces), tuple(range(read, PIECES * read, read)), step


def _read_mouth(
    clip: FrameSequence, frames: NDArray[np.int64], cuts: tuple[int, ...], presenter_tracks: FaceTracks, rate: Fraction
) -> FaceTracks:
    """Tracks of the chosen frames of a clip, their places known from its presenter; pieces are read two at a time."""
    pieces = np.split(frames, cuts)
    middle = -(-len(pieces) // 2)
    halves = [half for half in (pieces[:middle], pieces[middle:]) if half]
    with ThreadPoolExecutor(len(halves)) as readers:
        read = list(readers.map(partial(_read_pieces, clip, presenter_tracks), halves))
    followed = FollowedFace(
        boxes=np.concatenate([part.boxes for part in read]),
        landmarks=np.concatenate([part.landmarks for part in read]),
        score=np.concatenate([part.score for part in read]),
        cuts=cuts,
        other_faces=0,
    )
    return complete_tracks(followed, rate, (clip.info.width, clip.info.height))


def _read_pieces(
    clip: FrameSequence, presenter_tracks: FaceTracks, pieces: Sequence[NDArray[np.int64]]
) -> FollowedFace:
    """What is read in pieces of a clip, one after the other."""
    index = clip.index
    assert index is not None
    frames = np.concatenate(pieces)
    known = presenter_tracks.landmarks[[ping_pong(int(frame), len(presenter_tracks)) for frame in frames]]
    convert = Converter(clip.info, exact=False)
    pictures = (
        convert(picture)
        for piece in pieces
        for picture in sample_frames(clip.info.path, index, clip.times[piece], progressive=True)
    )
    with closing(prefetch(pictures, FRAMES_AHEAD)) as decoded:
        return read_known_faces(decoded, known)


def picture_after_sound(video: Path) -> float:
    """Seconds from the first sample of the sound to the first frame of the picture, as the container plays them.

    0 for a clip without sound: the speech is then taken to begin with the picture.
    """
    try:
        with open_media(video) as container:
            sound = next(container.decode(sound_stream(container, video))).time
        with open_media(video) as container:
            picture = next(container.decode(picture_stream(container, video))).time
    except NoSoundTrack:
        return 0.0
    return float(picture or 0) - float(sound or 0)
