"""What campaigns order: how each clip is made, and what a voice's ZIP holds."""

import dagster as dg

from heygem_pipeline.assets.orders import DeliveryOrder, Making
from heygem_pipeline.assets.uploads import UploadKind, Uploads
from heygem_pipeline.automation.campaigns import contradictions, load_campaigns, making_of, wanted_clips
from heygem_pipeline.automation.deliveries import delivery_order
from heygem_pipeline.automation.made import data_versions
from heygem_pipeline.automation.planner import plan
from heygem_pipeline.errors import CampaignsDisagree
from heygem_pipeline.storage.folders import data_folders


class CampaignOrders:
    """The orders of the data folder's campaigns, as they are when they are asked for."""

    def making(self, audio: str, template: str) -> Making:
        """As the campaigns that want the clip say. Raises CampaignsDisagree."""
        folders = data_folders()
        uploads = Uploads(folders)
        voice = {audio: uploads.find(UploadKind.AUDIO, audio)}
        presenter = {template: uploads.find(UploadKind.TEMPLATE, template)}
        wanted = wanted_clips(load_campaigns(folders.campaigns), voice, presenter)
        for sentence in contradictions(wanted).values():
            raise CampaignsDisagree(sentence)
        return making_of(wanted.get((audio, template), ()))

    def delivery(self, instance: dg.DagsterInstance, audio: str) -> DeliveryOrder:
        """The clips that are wanted of the voice, as the planner finds them."""
        folders = data_folders()
        found = plan(instance, folders)
        mine = [clip for clip in found.clips if clip[0] == audio]
        if not mine:
            return DeliveryOrder({}, "none")
        versions = data_versions(instance, folders, "encoded_video")
        return delivery_order(folders, mine, found.clips, found.wanting, versions, found.languages.get(audio))
