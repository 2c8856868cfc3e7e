"""Asset ``delivery``: what people take away of one voice."""

import dagster as dg

from heygem_pipeline.assets.failures import plain_failures
from heygem_pipeline.assets.partitions import audio_partitions, keys_of_clip
from heygem_pipeline.errors import StageMissing
from heygem_pipeline.media.archive import write_archive
from heygem_pipeline.quality.report import ClipReport
from heygem_pipeline.storage.folders import data_folders


@dg.asset(
    partitions_def=audio_partitions,
    group_name="talking_heads",
    kinds={"zip"},
    ins={"reports": dg.AssetIn("encoded_video")},
)
def delivery(context: dg.AssetExecutionContext, reports: dict[str, ClipReport]) -> dg.MaterializeResult:
    """A ZIP of the voice's finished clips with a manifest: what, when, engine, sync, checks, fingerprints."""
    folders, destination = data_folders(), data_folders().delivery(context.partition_key)
    pairs = {keys_of_clip(key): report for key, report in sorted(reports.items())}
    if not pairs:
        with plain_failures():
            raise StageMissing(f"No clip of {context.partition_key!r} is finished; materialize encoded_video first.")
    clips = [(f"{template}.mp4", folders.clip(audio, template)) for audio, template in pairs]
    with plain_failures():
        write_archive(destination, clips, [report.as_json() for report in pairs.values()])
    wanted = len(context.asset_partition_keys_for_input("reports"))
    metadata = {
        "clips": len(clips),
        "clips left out: failed, missing or of an older upload": wanted - len(clips),
        "megabytes": round(destination.stat().st_size / 1e6, 2),
        "path": dg.MetadataValue.path(destination),
    }
    version = dg.DataVersion("-".join(report.produce_id[:12] for report in pairs.values()))
    return dg.MaterializeResult(metadata=metadata, data_version=version)
