"""Asset ``delivery``: what people take away of one voice."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from heygem_pipeline.assets.failures import plain_failures
from heygem_pipeline.assets.orders import DeliveryOrder, Orders
from heygem_pipeline.assets.partitions import audio_partitions
from heygem_pipeline.assets.uploads import UploadKind, Uploads
from heygem_pipeline.errors import StageMissing
from heygem_pipeline.media.archive import write_archive
from heygem_pipeline.quality.report import ClipReport, finished_report
from heygem_pipeline.storage.folders import DataFolders, data_folders


@dg.asset(
    partitions_def=audio_partitions, group_name="talking_heads", kinds={"zip"}, deps=[dg.AssetDep("encoded_video")]
)
def delivery(context: dg.AssetExecutionContext, orders: dg.ResourceParam[Orders]) -> dg.MaterializeResult:
    """A ZIP of the voice's wanted clips with a manifest: what, when, engine, sync, checks, fingerprints, failures."""
    folders, audio = data_folders(), context.partition_key
    destination = folders.delivery(audio)
    with plain_failures():
        state = state_of_clips(folders, audio)
        order = orders.delivery(context.instance, audio)
        reports = {
            template: report
            for template in order.finished
            if (report := finished_report(folders, audio, template)) is not None
        }
        if not reports:
            raise StageMissing(f"No clip of {audio!r} is finished; materialize encoded_video first.")
        rows = [
            _row(audio, template, reports.get(template), order, sentence)
            for template, sentence in sorted(order.unfinished.items())
        ]
        write_archive(destination, list(_content(folders, audio, order, reports)), rows)
    metadata = {
        "clips": len(reports),
        "clips left out: failed, missing or of an older upload": len(order.unfinished) - len(reports),
        "megabytes": round(destination.stat().st_size / 1e6, 2),
        "path": dg.MetadataValue.path(destination),
    }
    versions = {template: report.version for template, report in reports.items()}
    return dg.MaterializeResult(
        metadata=metadata, data_version=dg.DataVersion(delivery_version(order, versions, state))
    )


def state_of_clips(folders: DataFolders, audio: str) -> int:
    """A number that is another one after any of the voice's clips came, went or was replaced."""
    try:
        return folders.clip(audio, "any").parent.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def delivery_version(order: DeliveryOrder, versions: Mapping[str, str], state: int) -> str:
    """Say all that a ZIP is made of. versions: template -> version of the finished clip. state: ``state_of_clips``."""
    clips = sorted((template, versions.get(template, why)) for template, why in order.unfinished.items())
    options = [order.language, order.report, order.filmstrips, order.voice]
    return hashlib.sha256(json.dumps([clips, options, state]).encode()).hexdigest()[:32]


def _name(template: str, order: DeliveryOrder) -> str:
    """A clip's name in the ZIP, without its ending."""
    return f"{template}.{order.language}" if order.language else template


def _content(
    folders: DataFolders, audio: str, order: DeliveryOrder, reports: Mapping[str, ClipReport]
) -> Iterator[tuple[str, Path]]:
    for template in reports:
        name = _name(template, order)
        yield f"{name}.mp4", folders.clip(audio, template)
        if order.report:
            yield f"{name}.json", folders.report(audio, template)
        if order.filmstrips and folders.filmstrip(audio, template).exists():
            yield f"{name}.jpg", folders.filmstrip(audio, template)
    if order.voice:
        voice = Uploads(folders).find(UploadKind.AUDIO, audio)
        yield f"voice/{voice.name}", voice


def _row(audio: str, template: str, report: ClipReport | None, order: DeliveryOrder, sentence: str) -> dict[str, Any]:
    if report is None:
        return {"clip": "", "audio": audio, "template": template, "finished": False, "sentence": sentence}
    return {"clip": f"{_name(template, order)}.mp4", "finished": True, "sentence": ""} | report.as_json()
