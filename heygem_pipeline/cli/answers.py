"""What programs read of the command (``--json``): answers and refusals, as JSON with full paths."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heygem_pipeline.errors import CampaignWrong, PipelineError
from heygem_pipeline.messages.message import Message

if TYPE_CHECKING:
    from heygem_pipeline.campaigns.campaign import Campaign
    from heygem_pipeline.planning.plan import Plan
    from heygem_pipeline.planning.status import Status
    from heygem_pipeline.storage.paths import DataFolders

JSON_HELP = "Print one line of JSON, also where something is refused"

NAMING = ("file", "name", "folder")
"""Values of a message that name the file it is about, the surest first."""


_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


def say(answer: Mapping[str, Any]) -> None:
    """Print one line of JSON. A path that is no UTF-8 comes back from it as Python's own functions want it."""
    line = json.dumps(answer, ensure_ascii=False)
    print(_HALF_CHARACTER.sub(lambda found: f"\\u{ord(found[0]):04x}", line), flush=True)


def refusal(error: PipelineError | Message, files: Iterable[Path] = ()) -> dict[str, Any]:
    """What is refused and why.

    Args:
        files: among which the named one is looked for, so that its full path can be said.
    """
    known = list(files)
    told = told_message(error if isinstance(error, Message) else error.message, known)
    if isinstance(error, CampaignWrong):
        told["problems"] = [told_message(problem, known) for problem in error.problems]
    return {"refused": told}


def told_message(message: Message, files: Iterable[Path] = ()) -> dict[str, Any]:
    """A message with its sentence, and the full path of the file it names; null where it names none."""
    return {"code": message.code, "sentence": str(message), "file": _file_of(message, files)} | {
        "values": message.as_json()["values"]
    }


def _file_of(message: Message, files: Iterable[Path]) -> str | None:
    named = next((value for name in NAMING if isinstance(value := message.values.get(name), str)), None)
    if named is None:
        return None
    found = next((path for path in files if path.name == named), None)
    if found is not None:
        return str(found.absolute())
    return named if Path(named).is_absolute() or "file" in message.values else None


def status_answer(
    found: "Plan", folders: "DataFolders", word: Callable[["Status"], str], served: bool
) -> dict[str, Any]:
    """Where everything stands.

    Args:
        word: what a status is called, as the matrix shows it too.
    """
    from heygem_pipeline.uploads.registry import UploadKind, Uploads

    uploads = Uploads(folders)
    presenters = uploads.paths(UploadKind.PRESENTER, uploads.known(UploadKind.PRESENTER))
    files = {UploadKind.VOICE: uploads.voices(), UploadKind.PRESENTER: presenters}
    every = [path for paths in files.values() for path in paths.values()]

    def told(status: "Status", file: str | None) -> dict[str, Any]:
        return {
            "state": word(status),
            "share": status.share,
            "reason": None if status.reason is None else told_message(status.reason, every),
            "run": status.run_id,
            "file": file,
        }

    def uploaded(statuses: Mapping[str, "Status"], kind: UploadKind) -> list[dict[str, Any]]:
        paths = {key: str(path.absolute()) for key, path in files[kind].items()}
        return [{"name": key} | told(status, paths.get(key)) for key, status in statuses.items()]

    made = {one.path for one in folders.files.below(folders.outputs)}

    def there(path: Path) -> str | None:
        return folders.files.address(path) if path in made else None

    clips = [
        {"voice": clip.voice, "presenter": clip.presenter} | told(status, there(folders.clip(clip)))
        for clip, status in found.clips.items()
    ]
    return _workers(folders) | {
        "data": str(folders.root.absolute()),
        "served": served,
        "counts": dict(Counter(clip["state"] for clip in clips)),
        "voices": uploaded(found.voices, UploadKind.VOICE),
        "presenters": uploaded(found.presenters, UploadKind.PRESENTER),
        "clips": clips,
        "zips": [
            {"voice": voice} | told(status, there(folders.delivery(voice)))
            for voice, status in found.deliveries.items()
        ],
    }


def _workers(folders: "DataFolders") -> dict[str, Any]:
    """Of a cluster only."""
    if not folders.broker:
        return {}
    from heygem_pipeline.runs.cluster_workers import workers_of

    return {"workers": [worker.as_json() for worker in workers_of(folders)]}


def campaign_answer(
    campaign: "Campaign",
    folders: "DataFolders",
    voices: Mapping[str, str | None],
    presenters: Iterable[str],
    counts: Mapping[str, int],
    warnings: Iterable[Message],
) -> dict[str, Any]:
    """One campaign: what it matches, where its clips stand, and when it starts next."""
    from heygem_pipeline.campaigns.cron import next_time

    upcoming = None
    if campaign.schedule is not None:
        upcoming = next_time(campaign.schedule, campaign.timezone, datetime.now(UTC)).isoformat()
    return {
        "name": campaign.name,
        "title": campaign.title,
        "file": str((folders.campaigns / campaign.file).absolute()),
        "voices": [{"name": name, "language": language} for name, language in voices.items()],
        "presenters": list(presenters),
        "counts": dict(counts),
        "schedule": campaign.schedule,
        "timezone": campaign.timezone,
        "next": upcoming,
        "warnings": [told_message(warning) for warning in warnings],
    }
