"""What campaigns order: how each clip is made, and what a voice's ZIP holds."""

import dagster as dg

from heygem_pipeline.assets.specifications import DeliverySpec
from heygem_pipeline.campaigns.campaigns_folder import load_campaigns, render_spec_of, speech_orders, wanted_clips
from heygem_pipeline.campaigns.contradictions import contradictions
from heygem_pipeline.clip.render_spec import RenderSpec, default_render_spec
from heygem_pipeline.errors import CampaignsDisagree
from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.delivery_contents import delivery_spec
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.runs.materializations import ClipFiles, data_versions
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.synthesis.front_matter import FrontMatter
from heygem_pipeline.uploads.mirror import bring_instructions
from heygem_pipeline.uploads.registry import UploadKind, Uploads


class CampaignSpecifications:
    """The orders of the data folder's campaigns, as they are when they are asked for."""

    def __init__(self, folders: DataFolders, settings: Settings) -> None:
        self._folders = folders
        self._settings = settings

    def render_spec(self, clip: ClipKey) -> RenderSpec:
        """As the campaigns that want the clip say. Raises CampaignsDisagree."""
        bring_instructions(self._folders)
        uploads, usual = Uploads(self._folders), default_render_spec(self._settings)
        voice = {clip.voice: uploads.voices().get(clip.voice) or uploads.find(UploadKind.VOICE, clip.voice)}
        presenter = {clip.presenter: uploads.find(UploadKind.PRESENTER, clip.presenter)}
        wanted = wanted_clips(load_campaigns(self._folders.campaigns, usual), voice, presenter)
        for disagreement in contradictions(wanted).values():
            raise CampaignsDisagree(disagreement.code, **disagreement.values)
        return render_spec_of(wanted.get(clip, ()), usual)

    def speech_order(self, voice_key: str) -> FrontMatter:
        """As the campaigns that want the script say. Raises CampaignsDisagree."""
        bring_instructions(self._folders)
        campaigns = load_campaigns(self._folders.campaigns, default_render_spec(self._settings))
        voice = {key: path for key, path in Uploads(self._folders).voices().items() if key == voice_key}
        ordered = speech_orders(campaigns.usable, voice).get(voice_key, FrontMatter())
        for disagreement in [ordered] if isinstance(ordered, Message) else []:
            raise CampaignsDisagree(disagreement.code, **disagreement.values)
        assert not isinstance(ordered, Message)
        return ordered

    def delivery_spec(self, instance: dg.DagsterInstance, voice_key: str) -> DeliverySpec:
        """The clips that are wanted of the voice, as the planner finds them."""
        folders = self._folders
        bring_instructions(folders)
        found = plan(instance, folders, self._settings)
        if voice_key not in found.clips.rows:
            return DeliverySpec({}, "none")
        versions = data_versions(instance, folders, "encoded_video")
        mark = ClipFiles.of_voice(folders, voice_key).mark
        return delivery_spec(mark, voice_key, found.clips, found.wanting, versions, found.languages.get(voice_key))
