"""The mouth patches of one clip: the part that a GPU engine needs the GPU for."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TypeVar

from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.media.sound import resampled_sound
from heygem_pipeline.media.wave_file import write_wave_pieces
from heygem_pipeline.opencv_threads import one_opencv_thread
from heygem_pipeline.prefetch import FRAMES_AHEAD, prefetch
from heygem_pipeline.settings import UploadLimits

PART_RATE = 48_000


def draw_mouths(
    voice: Voice,
    presenter: Presenter,
    engine: LipSyncEngine,
    progress: Callable[[int], None] | None = None,
    sequence: FrameSequence | None = None,
) -> Generator[MouthPatch]:
    """Yield the patch of every output frame; a few are drawn ahead, in a thread of their own.

    Args:
        progress: called with the number of frames done.
        sequence: what the engine reads; default, the presenter's upload, opened again.

    Raises:
        UploadReplaced: The upload is no longer the file that was analysed.
        StageMissing: What an earlier stage should have stored is not there.
        ModelMissing: A model file (landmark predictor, weights) is not installed.
    """
    with one_opencv_thread(), _heard(voice, presenter.limits) as sound:
        heard = replace(voice.speech, sound=sound)
        patches = engine.generate(heard, sequence or presenter.open(), presenter.tracks, presenter.own_speech)
        with closing(prefetch(patches, FRAMES_AHEAD)) as drawn:
            yield from Metered(drawn, progress)


@contextmanager
def _heard(voice: Voice, limits: UploadLimits) -> Iterator[Path]:
    """A file of what engines hear for themselves: the upload, or the part of it that is used."""
    if voice.trim.is_whole:
        yield voice.path
        return
    with TemporaryDirectory() as folder:
        part = Path(folder) / f"{voice.path.stem[:60]}.wav"
        info = voice.open(limits)
        channels = min(2, info.channels)
        write_wave_pieces(part, resampled_sound(info, PART_RATE, channels), PART_RATE, channels)
        yield part


Item = TypeVar("Item")


class Metered(Iterator[Item]):
    """Passes items on, tells how many have gone by, and how many seconds they took to come."""

    def __init__(self, items: Iterable[Item], progress: Callable[[int], None] | None = None) -> None:
        self._items = iter(items)
        self._progress = progress
        self.count = 0
        self.seconds = 0.0

    def __next__(self) -> Item:
        started = perf_counter()
        try:
            item = next(self._items)
        finally:
            self.seconds += perf_counter() - started
        self.count += 1
        if self._progress is not None:
            self._progress(self.count)
        return item
