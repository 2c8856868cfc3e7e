"""What Dagster loads."""

from heygem_pipeline.garbage_collection import collected_afterwards

with collected_afterwards():
    import dagster as dg

    from heygem_pipeline.assets.graph import graph_definitions
    from heygem_pipeline.clip.render_spec import default_render_spec
    from heygem_pipeline.orchestration.jobs import JOBS
    from heygem_pipeline.orchestration.previews import previews
    from heygem_pipeline.orchestration.schedules import campaign_schedules, prune_schedule
    from heygem_pipeline.orchestration.sensors import clips, killed_runs, uploads, webhooks
    from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
    from heygem_pipeline.runs.dagster_internals import begin_runs_by_forking
    from heygem_pipeline.settings import settings
    from heygem_pipeline.storage.paths import data_folders
    from heygem_pipeline.uploads.registry import Uploads

FOLDERS, SETTINGS = data_folders(), settings()

STUDIO = {"Studio": dg.MetadataValue.url(SETTINGS.studio_address)} if SETTINGS.studio_address else {}
"""Stands in the page beside every asset."""

if not Uploads(FOLDERS).have_been_taken_in:
    # Dagster's own commands make no folders. Later a folder that is gone stays gone: its disk may come back.
    FOLDERS.make()

defs = dg.Definitions.merge(
    graph_definitions(specifications=CampaignSpecifications(FOLDERS, SETTINGS)),
    dg.Definitions(
        jobs=JOBS,
        sensors=[uploads, previews, clips, webhooks, killed_runs],
        schedules=[*campaign_schedules(FOLDERS, default_render_spec(SETTINGS)), prune_schedule],
    ),
).map_asset_specs(func=lambda asset: asset.merge_attributes(metadata=STUDIO, owners=SETTINGS.owners))

begin_runs_by_forking()
