"""The mouth patches of one clip: the part that a GPU engine needs the GPU for."""

from collections.abc import Callable, Iterator

from heygem_pipeline.clip.metered import Metered
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
