"""Asset ``spoken_script``: the recording of a voice that is brought as a script."""

import dagster as dg

from heygem_pipeline.assets.specifications import SpecificationSource
from heygem_pipeline.assets.step_progress import ProgressDisplay, StepProgress
from heygem_pipeline.assets.step_retries import fail_or_retry
from heygem_pipeline.clip.spoken_voice import SpokenFiles, speak_voice
from heygem_pipeline.messages.message import legible
from heygem_pipeline.runs.partitions import voice_partitions
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline.storage.version_strings import name_and_version, recorded_version, spoken_version
from heygem_pipeline.uploads.registry import UploadKind, Uploads


@dg.asset(partitions_def=voice_partitions, group_name="talking_heads", kinds={"wav"})
def spoken_script(
    context: dg.AssetExecutionContext,
    display: dg.ResourceParam[ProgressDisplay],
    specifications: dg.ResourceParam[SpecificationSource],
) -> dg.MaterializeResult:
    """The recording of a voice that was brought as a script, with text and times; of any other voice, its upload."""
    chosen, folders, key = settings(), data_folders(), context.partition_key
    uploads = Uploads(folders)
    with fail_or_retry():
        if key not in uploads.known(UploadKind.SCRIPT):
            return _recorded(uploads, key)
        script = uploads.bring(UploadKind.SCRIPT, key)
        ordered = specifications.speech_order(key)
        files, keeper = spoken_files(folders, key), folders.files
        keeper.refresh(files.recording.parent, lambda name: name.startswith(f"{key}."))
        with StepProgress(context, display, 0, "sentences") as progress:
            transcript, anew = speak_voice(script, files, chosen, ordered, progress.of)
        # As it was written: a recording without a transcript counts as not made.
        for path in (files.recording, files.subtitles, files.transcript) if anew else ():
            keeper.publish(path)
    seconds = transcript.sentences[-1].end
    metadata = {
        "script": legible(script.name),
        "synthetic voice": True,
        "engine": name_and_version(transcript.engine, transcript.engine_version),
        "voice": transcript.voice,
        "language": transcript.language or "not told",
        "speed": transcript.speed,
        "sentences": len(transcript.sentences),
        "seconds": round(seconds, 3),
        "spoken anew": anew,
        "path": dg.MetadataValue.path(folders.files.address(folders.spoken(key))),
    }
    version = spoken_version(transcript.version, transcript.sha256)
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(version))


def spoken_files(folders: DataFolders, key: str) -> SpokenFiles:
    """Where the store keeps them."""
    return SpokenFiles(folders.spoken(key), folders.transcript(key), folders.subtitles(key))


def _recorded(uploads: Uploads, key: str) -> dg.MaterializeResult:
    recording = uploads.bring(UploadKind.VOICE, key)
    version = recorded_version(uploads.known(UploadKind.VOICE)[key].fingerprint)
    metadata = {"upload": legible(recording.name), "synthetic voice": False, "engine": "recorded"}
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(version))
