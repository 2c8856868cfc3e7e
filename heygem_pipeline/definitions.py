"""What Dagster loads."""

import dagster as dg

from heygem_pipeline.assets.graph import graph_definitions
from heygem_pipeline.automation.jobs import JOBS
from heygem_pipeline.automation.killed import killed_runs
from heygem_pipeline.automation.orders import CampaignOrders
from heygem_pipeline.automation.retention import prune_job, prune_schedule
from heygem_pipeline.automation.schedules import campaign_schedules
from heygem_pipeline.automation.sensors import clips
from heygem_pipeline.automation.watch import uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.folders import data_folders

STUDIO = {"Studio": dg.MetadataValue.url(address)} if (address := settings().studio_address) else {}
"""Stands in the page beside every asset."""

defs = dg.Definitions.merge(
    graph_definitions(orders=CampaignOrders()).map_asset_specs(
        func=lambda asset: asset.merge_attributes(metadata=STUDIO)
    ),
    dg.Definitions(
        jobs=[*JOBS, prune_job],
        sensors=[uploads, clips, killed_runs],
        schedules=[*campaign_schedules(data_folders()), prune_schedule],
    ),
)
