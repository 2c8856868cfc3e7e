"""What backfills of the page will still ask for."""

from functools import cache

import dagster as dg

from heygem_pipeline.assets.graph import graph_definitions
from heygem_pipeline.runs.dagster_internals import (
    BaseAssetGraph,
    BulkActionsFilter,
    BulkActionStatus,
    DagsterDefinitionChangedDeserializationError,
)
from heygem_pipeline.runs.stages import STAGE_OF_ASSET, Subject


def awaited_by_backfills(instance: dg.DagsterInstance) -> set[Subject]:
    """Return what backfills in progress will still ask for: their daemon looks around every 30 seconds only."""
    awaited: set[Subject] = set()
    for backfill in instance.get_backfills(BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])):
        if not backfill.is_asset_backfill:
            continue
        try:
            data = backfill.get_asset_backfill_data(_asset_graph())
        except DagsterDefinitionChangedDeserializationError:
            continue
        settled = data.requested_subset | data.materialized_subset | data.failed_and_downstream_subset
        awaited.update(
            _subject(asset.asset_key.to_user_string(), asset.partition_key)
            for asset in (data.target_subset - settled).iterate_asset_partitions()
            if asset.partition_key is not None and asset.asset_key.to_user_string() in STAGE_OF_ASSET
        )
    return awaited


def _subject(asset: str, key: str) -> Subject:
    return Subject(STAGE_OF_ASSET[asset], str(key))


@cache
def _asset_graph() -> BaseAssetGraph:
    return graph_definitions().resolve_asset_graph()
