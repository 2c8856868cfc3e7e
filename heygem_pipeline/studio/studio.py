"""What all requests of the page share."""

import asyncio

from starlette.requests import Request

from heygem_pipeline.assets.uploads import UploadKind
from heygem_pipeline.automation.campaigns import load_campaigns
from heygem_pipeline.automation.instance import Instance
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.studio.access import Rules
from heygem_pipeline.studio.batches import only_what_is_chosen
from heygem_pipeline.studio.examinations import Examinations
from heygem_pipeline.studio.look import Look

UPLOADS_AT_ONCE = 6


class Studio:
    """The page over a data folder."""

    def __init__(self, instance: Instance, folders: DataFolders, rules: Rules) -> None:
        self.instance = instance
        self.folders = folders
        self.rules = rules
        self.examinations = Examinations(folders)
        self.look = Look(instance, folders, self.examinations)
        self.receiving = asyncio.Semaphore(UPLOADS_AT_ONCE)
        self.one_guess = asyncio.Lock()

    def wait_for_the_button(self) -> None:
        """Where nothing was wanted yet, make only what somebody chooses, not every voice with every presenter."""
        wanted = not load_campaigns(self.folders.campaigns).everything
        if not wanted and not all(self.look.uploads.known(kind) for kind in UploadKind):
            only_what_is_chosen(self.folders)


def studio_of(request: Request) -> Studio:
    """The studio that a request came to."""
    return request.app.state.studio
