"""What makes the asset ``encoded_video``: the finished clip, encoded, measured and checked."""

from collections.abc import Iterator
from urllib.parse import urlencode

import dagster as dg

from heygem_pipeline.assets.generated_frames import made_from
from heygem_pipeline.assets.specifications import SpecificationSource
from heygem_pipeline.assets.step_progress import ProgressDisplay, StepProgress
from heygem_pipeline.assets.step_retries import fail_or_retry
from heygem_pipeline.clip.finish import MouthDrawing, finish_clip
from heygem_pipeline.clip.presenter import Presenter
from heygem_pipeline.clip.voice import Voice
from heygem_pipeline.clip.voice_text import VoiceText, text_beside, text_of_script
from heygem_pipeline.errors import StageMissing
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.lipsync.patches import PatchFile
from heygem_pipeline.media.subtitles import sub_rip, web_vtt
from heygem_pipeline.quality.filmstrip import as_jpeg, as_markdown
from heygem_pipeline.quality.report import Check, ClipReport, Verdict
from heygem_pipeline.settings import UploadLimits, settings
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline.storage.version_strings import name_and_version
from heygem_pipeline.synthesis.transcript import read_transcript
from heygem_pipeline.uploads.registry import UploadKind, Uploads
from heygem_pipeline.uploads.voice_languages import languages_of

REPORT = "report"
"""Name of the output beside those of the checks."""

CHECKS = {
    "sound_and_picture_agree": "Fails where sound and picture do not end within one frame of each other.",
    "mouth_follows_sound": "Fails where sound and mouth are further apart than HEYGEM_SYNC_TOLERANCE_FRAMES; "
    "warns where the mouth moves too little to tell.",
}


@dg.op(out={REPORT: dg.Out(io_manager_key="reports")} | {name: dg.Out(dg.Nothing) for name in CHECKS})
def encoded_video(
    context: dg.AssetExecutionContext,
    voice: Voice,
    presenter: Presenter,
    patches: PatchFile,
    display: dg.ResourceParam[ProgressDisplay],
    specifications: dg.ResourceParam[SpecificationSource],
) -> Iterator[dg.Output[ClipReport] | dg.AssetCheckResult]:
    """The clip in ``outputs/<audio>/<template>.mp4``, streamable, with the upload's own sound."""
    chosen, folders, clip = settings(), data_folders(), ClipKey.from_partition(context.partition_key)
    destination = folders.clip(clip)
    made = patches.metadata()
    count = voice.speech.frame_count(presenter.tracks.frame_rate)
    with fail_or_retry():
        making = specifications.render_spec(clip)
        engine = load_engine(making.engine, chosen)
        if not made_from(voice, presenter, engine).items() <= made.items():
            raise StageMissing("stage.older_frames", key=context.partition_key)
        # A clip without a report counts as not made: nothing can ever show the new clip under the old report.
        for path in (folders.report(clip), folders.removed(clip)):
            folders.files.remove(path)
        text = _text(folders, voice, clip.voice, chosen)
        made_with = chosen.with_clip(making.settings)
        drawing = MouthDrawing(patches, engine, made.get("device"), float(made["seconds"]))
        with StepProgress(context, display, count) as progress:
            finished = finish_clip(voice, presenter, drawing, destination, progress, made_with, text)
        folders.files.publish(destination)
        write_voice_text(folders, clip.voice, text)
        folders.seen.remember("outputs", folders.outputs)
        with atomic_path(folders.filmstrip(clip)) as temporary:
            temporary.write_bytes(as_jpeg(finished.filmstrip))
        folders.files.publish(folders.filmstrip(clip))
    report = finished.report
    metadata = {
        "filmstrip": dg.MetadataValue.md(as_markdown(clip)),
        "path": dg.MetadataValue.path(folders.files.address(destination)),
        **studio_link(chosen.studio_address, clip),
        "seconds": round(report.duration, 3),
        "frames": report.frames,
        "frame rate": report.frame_rate,
        "resolution": f"{report.width} x {report.height}",
        "sync offset (frames)": dg.MetadataValue.float(report.sync_offset_frames)
        if report.sync_offset_frames is not None
        else dg.MetadataValue.text("no motion to compare"),
        "sync confidence": report.sync_confidence,
        "frames with the presenter's own mouth": f"{report.own_mouth:.0%}",
        "speed (frames/s)": round(report.frames / (report.seconds["encode"] + report.seconds["sync"]), 1),
        "megabytes": round(report.bytes / 1e6, 2),
        "engine": name_and_version(report.engine, report.engine_version),
        "drawn on": report.device,
        **({"synthetic voice": report.synthetic_voice} if report.synthetic_voice else {}),
        "subtitles": report.subtitles or "none",
        "AIGC ProduceID": report.produce_id,
    }
    yield dg.Output(report, REPORT, metadata=metadata, data_version=dg.DataVersion(report.version))
    for check in report.checks:
        yield _result(check)
    if chosen.keep_patches_days == 0:
        folders.files.remove(patches.path)


def _text(folders: DataFolders, voice: Voice, key: str, limits: UploadLimits) -> VoiceText | None:
    if key not in Uploads(folders).known(UploadKind.SCRIPT):
        return text_beside(voice, languages_of(folders).get(key, ""), limits)
    try:
        return text_of_script(read_transcript(folders.files.fetch(folders.transcript(key))))
    except (OSError, ValueError, KeyError):
        return None  # gone, or of a later version: the recording alone is enough for a clip


def write_voice_text(folders: DataFolders, key: str, text: VoiceText | None) -> None:
    """Keep the subtitles of a voice for those who take its clips, or none."""
    for suffix, written in {".srt": sub_rip, ".vtt": web_vtt}.items():
        path = folders.voice_text(key, suffix)
        if text is None or not text.track.cues:
            folders.files.remove(path)
            continue
        with atomic_path(path) as temporary:
            temporary.write_text(written(text.track.cues), encoding="utf-8")
        folders.files.publish(path)


def studio_link(address: str, clip: ClipKey) -> dict[str, dg.UrlMetadataValue]:
    """Where people see this clip in the Studio at ``address``; nothing where there is none."""
    query = urlencode({"clip": clip.partition})
    return {"Studio": dg.MetadataValue.url(f"{address.rstrip('/')}/?{query}")} if address else {}


def _result(check: Check) -> dg.AssetCheckResult:
    failed = check.verdict is Verdict.FAILED
    return dg.AssetCheckResult(
        asset_key="encoded_video",
        check_name=check.name,
        passed=check.verdict is Verdict.PASSED,
        severity=dg.AssetCheckSeverity.ERROR if failed else dg.AssetCheckSeverity.WARN,
        description=str(check.message),
    )
