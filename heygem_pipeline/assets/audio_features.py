"""Asset ``audio_features``: what is computed once a voice."""

from collections.abc import Iterator

import dagster as dg

from heygem_pipeline.assets.step_retries import fail_or_retry
from heygem_pipeline.clip.voice import Voice, analyse_voice, current_analysis
from heygem_pipeline.messages.message import legible
from heygem_pipeline.runs.partitions import voice_partitions
from heygem_pipeline.settings import settings
from heygem_pipeline.speech.clarity import speech_share, speech_to_noise, speech_warnings
from heygem_pipeline.storage.paths import data_folders
from heygem_pipeline.storage.version_strings import voice_version
from heygem_pipeline.uploads.registry import Uploads


@dg.asset(
    partitions_def=voice_partitions,
    io_manager_key="voices",
    deps=[dg.AssetDep("spoken_script")],
    group_name="talking_heads",
    kinds={"parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "speech_is_clear",
            asset="audio_features",
            partitions_def=voice_partitions,
            description="Warns where the voice is long, faint, noisy, or holds little speech.",
        )
    ],
)
def audio_features(context: dg.AssetExecutionContext) -> Iterator[dg.Output[Voice] | dg.AssetCheckResult]:
    """Log-mel, level, speech activity and mouth movement of a voice at 80 Hz, with its exact length and fingerprint."""
    chosen, folders = settings(), data_folders()
    with fail_or_retry():
        upload = Uploads(folders).bring_sound(context.partition_key)
        voice = analyse_voice(upload, chosen)
    speech = voice.speech
    metadata = {
        "upload": legible(upload.name),
        "seconds": round(float(speech.duration), 3),
        "speech share": round(speech_share(speech), 3),
        "speech to noise (dB)": round(speech_to_noise(speech), 1),
        "fingerprint": voice.fingerprint,
        "path": dg.MetadataValue.path(folders.files.address(folders.voice(context.partition_key))),
        "speed (x real time)": round(float(speech.duration) / voice.seconds, 1),
    }
    yield dg.Output(
        voice,
        metadata=metadata,
        data_version=dg.DataVersion(voice_version(voice.fingerprint, current_analysis(voice.trim))),
    )
    warnings = speech_warnings(speech, chosen)
    yield dg.AssetCheckResult(
        passed=not warnings,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(map(str, warnings)) or "Clear speech.",
        check_name="speech_is_clear",
    )
