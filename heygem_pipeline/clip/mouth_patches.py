"""The mouth patches of one clip: the part that a GPU engine needs the GPU for."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from time import perf_counter
from typing import TypeVar

from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch
from heygem_pipeline.media.template import Template
from heygem_pipeline.prefetch import FRAMES_AHEAD, prefetch


def draw_mouths(
    voice: Voice,
    presenter: Presenter,
    engine: LipSyncEngine,
    progress: Callable[[int], None] | None = None,
    template: Template | None = None,
) -> Generator[MouthPatch]:
    """Yield the patch of every output frame; a few are drawn ahead, in a thread of their own.

    Args:
        progress: called with the number of frames done.
        template: what the engine reads; default, the presenter's upload, opened again.

    Raises:
        UploadReplaced: The upload is no longer the file that was analysed.
        StageMissing: What an earlier stage should have stored is not there.
        ModelMissing: A model file (landmark predictor, weights) is not installed.
    """
    heard = replace(voice.speech, sound=voice.path)
    patches = engine.generate(heard, template or presenter.open(), presenter.tracks, presenter.own_speech)
    with closing(prefetch(patches, FRAMES_AHEAD)) as drawn:
        yield from Metered(drawn, progress)


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
