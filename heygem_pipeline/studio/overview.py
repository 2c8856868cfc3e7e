"""All that the page shows, as JSON values. It holds no path of this machine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from json import dumps
from typing import Any

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.campaigns.campaigns_folder import Campaigns, matches
from heygem_pipeline.campaigns.cron import next_time
from heygem_pipeline.planning.estimates import Estimate
from heygem_pipeline.planning.planner import Plan
from heygem_pipeline.planning.status import State, Status
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.studio.batches import choices_of
from heygem_pipeline.studio.clip_log import without_paths
from heygem_pipeline.studio.first_looks import FirstLooks
from heygem_pipeline.studio.languages import languages_of
from heygem_pipeline.uploads.registry import Upload, UploadKind, Uploads

EVERYTHING = ""
"""The name of the batch that stands for every voice with every presenter, where there is no campaign."""


@dataclass(frozen=True)
class Seen:
    """One look.

    known: the uploads that have a key. began: POSIX time at which running runs started. served: does anything start
    runs? now: POSIX time.
    """

    found: Plan
    uploads: Uploads
    known: Mapping[UploadKind, Mapping[str, Upload]]
    campaigns: Campaigns
    began: Mapping[str, float]
    pace: Estimate | None
    served: bool
    now: float


def overview(seen: Seen, first_looks: FirstLooks) -> dict[str, Any]:
    """Return what is shown; ``version`` changes whenever anything else in it does."""
    voices = list(_uploads(seen, first_looks, UploadKind.AUDIO, seen.found.voices))
    presenters = list(_uploads(seen, first_looks, UploadKind.TEMPLATE, seen.found.presenters))
    shown = {
        "served": seen.served,
        "voices": voices,
        "presenters": presenters,
        "batches": list(_batches(seen)),
        "clips": {clip.partition: _clip(seen, clip, status) for clip, status in seen.found.clips.items()},
        "languages": languages_of(seen.uploads.folders),
        "pace": {"start": seen.pace.start, "each": seen.pace.each} if seen.pace else None,
    }
    return shown | {"version": sha256(dumps(shown, sort_keys=True).encode()).hexdigest()[:16]}


def _uploads(
    seen: Seen, first_looks: FirstLooks, kind: UploadKind, statuses: Mapping[str, Status]
) -> Iterator[dict[str, Any]]:
    known = {upload.file: (key, upload) for key, upload in seen.known[kind].items()}
    for path in seen.uploads.files(kind):
        key, upload = known.get(path.name, (None, None))
        status = statuses.get(key) if key else None
        examined = first_looks.known(kind, path)
        failed = status is not None and status.state is State.FAILED
        yield {
            "key": key,
            "file": path.name,
            "mark": _mark(upload),
            "added": upload.since if upload else seen.now,
            "checked": status is not None and status.state in (State.DONE, State.FAILED),
            "refused": without_paths(str(status.reason), seen.uploads.folders.root) if status and failed else None,
            "seconds": examined.seconds if examined else None,
            "width": examined.width if examined else 0,
            "height": examined.height if examined else 0,
            "doubt": examined.refused if examined and not (status and status.state is State.DONE) else None,
            "warnings": examined.warnings if examined else [],
            "looked": examined is not None,
            "picture": bool(examined and examined.picture),
            "trouble": bool(examined and examined.trouble),
        }


def _mark(upload: Upload | None) -> str:
    """Changes with the content, so that browsers may keep what they have."""
    return upload.fingerprint[:12] if upload else ""


def _batches(seen: Seen) -> Iterator[dict[str, Any]]:
    voices, presenters = (
        {key: seen.uploads.folder(kind) / upload.file for key, upload in seen.known[kind].items()}
        for kind in (UploadKind.AUDIO, UploadKind.TEMPLATE)
    )
    if seen.campaigns.everything and voices and presenters:
        yield {"name": EVERYTHING, "title": "", "made": 0.0, "voices": list(voices), "presenters": list(presenters)}
    for campaign in seen.campaigns.usable:
        found = matches(campaign, voices, presenters)
        yield {
            "name": campaign.name,
            "title": campaign.title,
            "made": _made(seen, campaign),
            "voices": sorted(found.voices),
            "presenters": list(found.presenters),
            "scheduled": _next_time(seen, campaign),
        } | choices_of(campaign)
    for wrong in seen.campaigns.wrong:
        yield {"name": None, "title": "", "made": 0.0, "voices": [], "presenters": [], "wrong": list(wrong.problems)}


def _next_time(seen: Seen, campaign: Campaign) -> float | None:
    """POSIX time at which its clips are made next; None where no time is fixed."""
    if campaign.schedule is None:
        return None
    return next_time(campaign.schedule, campaign.timezone, datetime.fromtimestamp(seen.now, UTC)).timestamp()


def _made(seen: Seen, campaign: Campaign) -> float:
    try:
        return (seen.uploads.folders.campaigns / campaign.file).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _clip(seen: Seen, clip: ClipKey, status: Status) -> dict[str, Any]:
    shown: dict[str, Any] = {"state": status.state.value}
    if status.reason is not None:
        shown["why"] = without_paths(str(status.reason), seen.uploads.folders.root)
    if status.run_id:
        shown["run"] = status.run_id
    if status.state is State.RUNNING:
        if status.share is not None:
            shown["share"] = round(status.share, 3)
        began = seen.began.get(status.run_id or "")
        if began is not None:
            shown["began"] = round(began)
    if status.state is State.DONE:
        shown["mark"] = _made_at(seen, clip)
    return shown


def _made_at(seen: Seen, clip: ClipKey) -> str:
    try:
        return f"{seen.uploads.folders.clip(clip).stat().st_mtime_ns // 10**6:x}"
    except FileNotFoundError:
        return ""
