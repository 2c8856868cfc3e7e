"""The mouth patches of one clip: the part that a GPU engine needs the GPU for."""

from collections.abc import Callable, Iterable, Iterator
from time import perf_counter
from typing import TypeVar

from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch


def draw_mouths(
    voice: Voice, presenter: Presenter, engine: LipSyncEngine, progress: Callable[[int], None] | None = None
) -> Iterator[MouthPatch]:
    """Yield the patch of every output frame.

    Args:
        progress: called with the number of frames done.

    Raises:
        UploadReplaced: The upload is no longer the file that was analysed.
        StageMissing: What an earlier stage should have stored is not there.
        ModelMissing: A model file (landmark predictor, weights) is not installed.
    """
    patches = engine.generate(voice.speech, presenter.open(), presenter.tracks, presenter.own_speech)
    yield from Metered(patches, progress)


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
