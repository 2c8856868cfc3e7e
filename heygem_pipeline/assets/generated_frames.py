"""What makes the asset ``generated_frames``: the mouth patches of one clip; one at a time on the GPU."""

import dagster as dg

from heygem_pipeline.assets.specifications import SpecificationSource
from heygem_pipeline.assets.step_progress import ProgressDisplay, StepProgress
from heygem_pipeline.assets.step_retries import fail_or_retry
from heygem_pipeline.clip.mouth_patches import Metered, draw_mouths
from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.devices import card_to_itself
from heygem_pipeline.lipsync.engine import LipSyncEngine
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.lipsync.patches import PatchFile, patch_bytes, write_patches
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.atomic import require_space
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import data_folders
from heygem_pipeline.storage.version_strings import name_and_version, patches_version


def made_from(voice: Voice, presenter: Presenter, engine: LipSyncEngine) -> dict[str, str]:
    """What tells later whether patches still belong to their voice, presenter and engine."""
    return {
        "audio_fingerprint": f"{voice.fingerprint} {voice.trim.written}".rstrip(),
        "template_fingerprint": presenter.fingerprint,
        "tracker": presenter.tracker,
        "timeline": f"{len(presenter.tracks)} at {presenter.tracks.frame_rate}",
        "engine": engine.name,
        "engine_version": engine.version,
    }


@dg.op(out=dg.Out(io_manager_key="patches"), pool="gpu")
def generated_frames(
    context: dg.AssetExecutionContext,
    voice: Voice,
    presenter: Presenter,
    display: dg.ResourceParam[ProgressDisplay],
    specifications: dg.ResourceParam[SpecificationSource],
) -> dg.Output[PatchFile]:
    """The mouth of every output frame, losslessly, and the presenter's frame it lies on."""
    clip = ClipKey.from_partition(context.partition_key)
    folders = data_folders()
    path = folders.patches(clip)
    count = voice.speech.frame_count(presenter.tracks.frame_rate)
    with fail_or_retry():
        engine = load_engine(specifications.render_spec(clip).engine, settings())
        known = made_from(voice, presenter, engine)
        require_space(path, patch_bytes(presenter.tracks, count))
        with card_to_itself(context.log.info), StepProgress(context, display, count) as progress:
            patches = Metered(draw_mouths(voice, presenter, engine, progress))
            file = write_patches(
                patches, path, lambda: known | {"seconds": str(patches.seconds), "device": engine.device}
            )
        folders.files.publish(path)
    metadata = {
        "engine": name_and_version(engine.name, engine.version),
        "device": engine.device,
        "frames": count,
        "frame rate": str(presenter.tracks.frame_rate),
        "speed (frames/s)": round(count / patches.seconds, 1),
        "megabytes": round(path.stat().st_size / 1e6, 2),
        "path": dg.MetadataValue.path(folders.files.address(path)),
    }
    made_with = presenter.tracker, engine.name, engine.version
    version = patches_version(voice.fingerprint, presenter.fingerprint, *made_with, voice.trim.written)
    return dg.Output(file, metadata=metadata, data_version=dg.DataVersion(version))
