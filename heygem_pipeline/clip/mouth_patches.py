"""The mouth patches of one clip: the part that a GPU engine needs the GPU for."""

from collections.abc import Callable, Iterator

from heygem_pipeline.clip.metered import Metered
from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch


def draw_mouths(
    voice: Voice, presenter: Presenter, engine: LipSyncEngine, progress: Callable[[int], None] | None = None
) -> Iterator[MouthPatch]:
    """Yield the patch of every output frame. Raises UploadReplaced, StageMissing, ModelMissing.

    progress: called with the number of frames done.
    """
    patches = engine.generate(voice.speech, presenter.open(), presenter.tracks, presenter.own_speech)
    yield from Metered(patches, progress)
