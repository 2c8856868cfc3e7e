"""What the ZIP of a voice is to hold, and of what it is made."""

import hashlib
import json
from collections.abc import Mapping, Sequence

from heygem_pipeline.assets.specifications import UNFINISHED, DeliverySpec
from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.planning.status import State, Status
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.folders import DataFolders


def delivery_spec(
    folders: DataFolders,
    its_clips: Sequence[ClipKey],
    statuses: Mapping[ClipKey, Status],
    wanting: Mapping[ClipKey, tuple[Campaign, ...]],
    versions: Mapping[str, str],
    language: str | None,
) -> DeliverySpec:
    """Return the order of a voice. There is one ZIP, whatever the number of campaigns: it holds what any asks for.

    its_clips: the wanted ones of the voice, at least one. wanting: the campaigns that want each. versions: of the clips
    that were made, by partition key. language: for the clips' names.
    """
    audio = its_clips[0].voice
    unfinished = {clip.presenter: _why_not(statuses[clip]) for clip in its_clips}
    wishes = [
        campaign.delivery
        for campaigns in {id(wanting[c]): wanting[c] for c in its_clips}.values()
        for campaign in campaigns
    ]
    report, filmstrips, voice = (
        any(getattr(wish, name) for wish in wishes) for name in ("report", "filmstrips", "voice")
    )
    clips = sorted(
        (template, why or versions[ClipKey(audio, template).partition]) for template, why in unfinished.items()
    )
    content = [clips, language, report, filmstrips, voice, _state_of_clips(folders, audio)]
    version = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]
    return DeliverySpec(unfinished, version, language, report, filmstrips, voice)


def _why_not(status: Status) -> str:
    if status.state is State.DONE:
        return ""
    return str(status.reason) if status.state in (State.FAILED, State.REMOVED) else UNFINISHED


def _state_of_clips(folders: DataFolders, audio: str) -> int:
    """A number that is another one after any of the voice's clips came, went or was replaced."""
    try:
        return folders.clip(ClipKey(audio, "any")).parent.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
