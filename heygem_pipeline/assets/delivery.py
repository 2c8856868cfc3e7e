"""Asset ``delivery``: what people take away of one voice."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from heygem_pipeline.assets.specifications import DeliverySpec, SpecificationSource
from heygem_pipeline.assets.step_retries import fail_or_retry
from heygem_pipeline.errors import StageMissing
from heygem_pipeline.media.archive import write_archive
from heygem_pipeline.messages.message import legible
from heygem_pipeline.quality.report import ClipReport, finished_report
from heygem_pipeline.runs.partitions import voice_partitions
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders, data_folders
from heygem_pipeline.uploads.registry import Upload, UploadKind, Uploads


@dg.asset(
    partitions_def=voice_partitions, group_name="talking_heads", kinds={"zip"}, deps=[dg.AssetDep("encoded_video")]
)
def delivery(
    context: dg.AssetExecutionContext, specifications: dg.ResourceParam[SpecificationSource]
) -> dg.MaterializeResult:
    """A ZIP of the voice's wanted clips with a manifest: what, when, engine, sync, checks, fingerprints, failures."""
    folders, voice_key = data_folders(), context.partition_key
    destination = folders.delivery(voice_key)
    with fail_or_retry():
        order = specifications.delivery_spec(context.instance, voice_key)
        reports = {
            presenter_key: report
            for presenter_key in order.finished
            if (report := finished_report(folders, ClipKey(voice_key, presenter_key))) is not None
        }
        if not reports:
            raise StageMissing("delivery.no_clip", voice=voice_key)
        files = {kind: Uploads(folders).known(kind) for kind in UploadKind}
        rows = [
            {"clip": f"{_name(presenter_key, order)}.mp4", "finished": True, "sentence": ""}
            | reports[presenter_key].as_json()
            if presenter_key in reports
            else _row_of_missing(files, voice_key, presenter_key, order)
            for presenter_key in sorted(order.unfinished)
        ]
        content = [(name, folders.files.fetch(path)) for name, path in _content(folders, voice_key, order, reports)]
        write_archive(destination, content, rows)
        folders.files.publish(destination)
    metadata = {
        "clips": len(reports),
        "clips left out: failed, missing or of an older upload": len(order.unfinished) - len(reports),
        "megabytes": round(destination.stat().st_size / 1e6, 2),
        "path": dg.MetadataValue.path(folders.files.address(destination)),
    }
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(order.version))


def _name(presenter_key: str, order: DeliverySpec) -> str:
    """A clip's name in the ZIP, without its ending."""
    return f"{presenter_key}.{order.language}" if order.language else presenter_key


def _content(
    folders: DataFolders, voice_key: str, order: DeliverySpec, reports: Mapping[str, ClipReport]
) -> Iterator[tuple[str, Path]]:
    # Players find the subtitles of a clip by its name.
    subtitles = {
        suffix: path
        for suffix in (".srt", ".vtt")
        if folders.files.find(path := folders.voice_text(voice_key, suffix)) is not None
    }
    if (
        not subtitles
        and voice_key in Uploads(folders).known(UploadKind.SCRIPT)
        and folders.files.find(folders.subtitles(voice_key)) is not None
    ):
        subtitles = {".vtt": folders.subtitles(voice_key)}
    for presenter_key in reports:
        name, clip = _name(presenter_key, order), ClipKey(voice_key, presenter_key)
        yield f"{name}.mp4", folders.clip(clip)
        if order.report:
            yield f"{name}.json", folders.report(clip)
        if order.filmstrips and folders.files.find(folders.filmstrip(clip)) is not None:
            yield f"{name}.jpg", folders.filmstrip(clip)
        for suffix, path in subtitles.items():
            yield f"{name}{suffix}", path
    if order.voice:
        voice = Uploads(folders).bring_sound(voice_key)
        yield f"voice/{legible(voice.name)}", voice


def _row_of_missing(
    files: Mapping[UploadKind, Mapping[str, Upload]], voice_key: str, presenter_key: str, order: DeliverySpec
) -> dict[str, Any]:
    """The manifest's row of a clip that is not in the ZIP; files as a report names them."""
    voice = files[UploadKind.VOICE].get(voice_key) or files[UploadKind.SCRIPT].get(voice_key)
    presenter = files[UploadKind.PRESENTER].get(presenter_key)
    return {
        "clip": "",
        "finished": False,
        "sentence": order.unfinished[presenter_key],
        "audio": legible(voice.file) if voice else voice_key,
        "template": legible(presenter.file) if presenter else presenter_key,
    }
