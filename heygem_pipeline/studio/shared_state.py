"""What all requests of the page share."""

import asyncio
from collections import Counter

from starlette.requests import Request

from heygem_pipeline.campaigns.campaigns_folder import load_campaigns
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.runs.instance import Instance
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio.access import Rules
from heygem_pipeline.studio.batches import require_campaigns
from heygem_pipeline.studio.first_look_worker import FirstLooks
from heygem_pipeline.studio.password_guesses import Guesses
from heygem_pipeline.studio.snapshot import Snapshot
from heygem_pipeline.studio.voice_samples import VoiceSamples
from heygem_pipeline.uploads.registry import UploadKind

UPLOADS_AT_ONCE = 24
UPLOADS_OF_A_PERSON = 4


class Studio:
    """The page over a data folder."""

    def __init__(self, instance: Instance, folders: DataFolders, settings: Settings, rules: Rules) -> None:
        self.instance = instance
        self.folders = folders
        self.settings = settings
        self.rules = rules
        self.first_looks = FirstLooks(folders, settings)
        self.voice_samples = VoiceSamples(folders, settings)
        self.snapshot = Snapshot(instance, folders, settings, self.first_looks)
        self.receiving = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self.receiving_of: Counter[str] = Counter()
        self.guesses = Guesses()

    def require_campaigns_at_first(self) -> None:
        """Where nothing was wanted yet, make only what a campaign wants, not every voice with every presenter."""
        campaigns = load_campaigns(self.folders.campaigns, default_render_spec(self.settings))
        wanted = not campaigns.everything
        if not wanted and not (self.snapshot.uploads.voices() and self.snapshot.uploads.known(UploadKind.PRESENTER)):
            require_campaigns(self.folders)


def studio_of(request: Request) -> Studio:
    """The studio that a request came to."""
    return request.app.state.studio
