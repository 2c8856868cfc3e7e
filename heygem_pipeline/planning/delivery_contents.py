"""What the ZIP of a voice is to hold, and of what it is made."""

import hashlib
import json
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from heygem_pipeline.assets.specifications import UNFINISHED, DeliverySpec
from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.planning.status import State, Status
from heygem_pipeline.storage.clip_key import partition_of
from heygem_pipeline.storage.clip_table import ClipTable

GIVEN_UP = (State.FAILED, State.REMOVED)


def delivery_spec(
    mark: int,
    voice_key: str,
    clips: ClipTable[Status],
    wanting: ClipTable[tuple[Campaign, ...]],
    versions: Mapping[str, str],
    language: str | None,
) -> DeliverySpec:
    """Return the order of a voice. There is one ZIP, whatever the number of campaigns: it holds what any asks for.

    Args:
        mark: another number after any of the voice's clips came, went or was replaced.
        clips: the wanted ones, at least one of them of this voice.
        wanting: the campaigns that want each.
        versions: of the clips that were made, by partition key.
        language: for the clips' names.
    """
    row, done, before = clips.rows[voice_key], State.DONE, partition_of(voice_key, "")
    unfinished = {
        presenter_key: "" if status.state is done else _why_not(status) for presenter_key, status in row.items()
    }
    groups = {id(campaigns): campaigns for campaigns in wanting.rows[voice_key].values()}
    wishes = [campaign.delivery for campaigns in groups.values() for campaign in campaigns]
    report, filmstrips, voice = (
        any(getattr(wish, name) for wish in wishes) for name in ("report", "filmstrips", "voice")
    )
    its_clips = [
        (presenter_key, versions[before + presenter_key] if status.state is done else _reason(status))
        for presenter_key, status in sorted(row.items(), key=itemgetter(0))
    ]
    content = [its_clips, language, report, filmstrips, voice, mark]
    version = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]
    return DeliverySpec(unfinished, version, language, report, filmstrips, voice)


def _why_not(status: Status) -> str:
    return str(status.reason) if status.state in GIVEN_UP else UNFINISHED


def _reason(status: Status) -> dict[str, Any] | str:
    """Why a clip is not in it, as data: a sentence that is worded anew makes no ZIP again."""
    return status.reason.as_json() if status.state in GIVEN_UP and status.reason is not None else UNFINISHED
