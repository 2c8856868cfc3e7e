"""Where two campaigns would make one clip differently: neither wins, and the clip waits until they agree."""

from collections.abc import Iterable

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.messages.message import Message
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.clip_table import ClipTable


def contradictions(wanted: ClipTable[tuple[Campaign, ...]]) -> dict[ClipKey, Message]:
    """Return what is wrong with each clip that two campaigns would make differently: both write the same file."""
    rows = {id(row): row for row in wanted.rows.values()}
    groups = {id(wanting): wanting for row in rows.values() for wanting in row.values()}
    differences = {which: found for which, wanting in groups.items() if (found := _difference(wanting)) is not None}
    if not differences:
        return {}
    return {
        clip: Message(
            "campaigns.disagree",
            voice=clip.voice,
            presenter=clip.presenter,
            first=difference[0],
            second=difference[1],
        )
        for clip, wanting in wanted.items()
        if (difference := differences.get(id(wanting)))
    }


def _difference(wanting: tuple[Campaign, ...]) -> tuple[Message, Message] | None:
    """How the first two that disagree would make a clip; None where all agree."""
    for other in wanting[1:]:
        first = wanting[0]
        differing = [name for name, value in first.rendering.items() if other.rendering[name] != value]
        if differing:
            return _choice(first, differing), _choice(other, differing)
    return None


def _choice(campaign: Campaign, names: Iterable[str]) -> Message:
    chosen = ", ".join(f'{name} "{campaign.rendering[name]}"' for name in names)
    return Message("campaigns.choice", file=campaign.file, chosen=chosen)
