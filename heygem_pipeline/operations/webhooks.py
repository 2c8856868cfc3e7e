"""Telling other programs that a campaign is finished: signed, tried again with growing waits, logged.

As https://www.standardwebhooks.com says it: receivers check ``webhook-signature`` with the secret of the data folder.
"""

import base64
import hashlib
import hmac
import json
import logging
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from filelock import FileLock

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.errors import WebhookRefused
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.failure_reasons import CANCELLED
from heygem_pipeline.runs.log_file import note
from heygem_pipeline.storage.atomic import write_private
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.web.http_client import post

WAITS = (30.0, 120.0, 600.0, 3600.0, 6 * 3600.0, 24 * 3600.0)
"""Seconds after each call that failed, until the next; after the last it is given up."""

NAME = "webhooks"

CALLS_AT_ONCE = 4
"""In one tick of the sensor, so that slow receivers do not hold it up."""

GONE = 410
"""The receiver wants no more."""

MOST_NAMED = 1000
"""Clips that are named for not being made."""

SECRET_BYTES = 32
PREFIX = "whsec_"

Send = Callable[[str, bytes, Mapping[str, str], bool], int]


@dataclass(frozen=True)
class Call:
    """What is still to be told.

    Attributes:
        id: the same at every try.
        body: JSON.
        next_at: POSIX time.
    """

    id: str
    campaign: str
    address: str
    body: str
    tries: int = 0
    next_at: float = 0.0


@dataclass(frozen=True)
class Calls:
    """The register ``webhooks``.

    Attributes:
        reported: campaigns whose end was reported, until something of them is made again.
    """

    reported: tuple[str, ...] = ()
    waiting: tuple[Call, ...] = ()

    @classmethod
    def understood(cls, stored: Mapping[str, Any]) -> "Calls":
        """Raises TypeError or KeyError for what this file never held."""
        return cls(tuple(map(str, stored["told"])), tuple(Call(**call) for call in stored["waiting"]))

    def as_json(self) -> dict[str, Any]:
        """What ``understood`` reads."""
        return {"told": self.reported, "waiting": [asdict(call) for call in self.waiting]}


def tell_what_is_finished(
    folders: DataFolders, found: Plan, campaigns: Iterable[Campaign], inside: bool, now: float, send: Send = post
) -> list[str]:
    """Tell what has been finished since, and try again what did not arrive; return a sentence for each call.

    Args:
        inside: may addresses lie in this machine's own network?
        now: POSIX time.
    """
    wanted = {campaign.name: campaign for campaign in campaigns if campaign.webhook}
    register = folders.register(NAME)
    with register.changing() as write:
        before = register.read(Calls.understood, Calls())
        calls = _with_finished(before, found, wanted, now)
        due = list(islice((call for call in calls.waiting if call.next_at <= now), CALLS_AT_ONCE))
        said = []
        for call in due:
            left, sentence = _try(folders, call, inside, now, send)
            said.append(sentence)
            waiting = tuple(left if one.id == call.id else one for one in calls.waiting)
            calls = replace(calls, waiting=tuple(one for one in waiting if one is not None))
        if calls != before:
            write(calls.as_json())
    return said


def renamed(folders: DataFolders, old: str, new: str) -> None:
    """A campaign has another name; what was told of it is not told again."""
    register = folders.register(NAME)
    with register.changing() as write:
        before = register.read(Calls.understood, Calls())
        if old in before.reported:
            reported = tuple(sorted({new if name == old else name for name in before.reported}))
            write(replace(before, reported=reported).as_json())


def _with_finished(calls: Calls, found: Plan, wanted: Mapping[str, Campaign], now: float) -> Calls:
    clips: dict[str, list[ClipKey]] = {name: [] for name in wanted}
    for clip, wanting in found.wanting.items():
        for campaign in wanting:
            if campaign.name in clips:
                clips[campaign.name].append(clip)
    reported, waiting = set(calls.reported) & wanted.keys(), list(calls.waiting)
    for name, mine in clips.items():
        settled = bool(mine) and all(found.clips[clip].settled for clip in mine)
        if settled and name not in reported:
            reported.add(name)
            body = json.dumps(_news(wanted[name], mine, found, now), ensure_ascii=False)
            waiting.append(Call(f"msg_{uuid4().hex}", name, wanted[name].webhook or "", body))
        elif not settled:
            reported.discard(name)
    return Calls(tuple(sorted(reported)), tuple(waiting))


def _news(campaign: Campaign, clips: Iterable[ClipKey], found: Plan, now: float) -> dict[str, Any]:
    statuses = [(clip, found.clips[clip]) for clip in clips]
    unmade = [
        {"voice": clip.voice, "presenter": clip.presenter, "state": _word(status.state, reason)}
        | ({} if reason is None else {"code": reason.code, "sentence": str(reason)})
        for clip, status in statuses
        if status.state is not State.DONE
        for reason in [status.reason]
    ]
    return {
        "type": "campaign.finished",
        "timestamp": datetime.fromtimestamp(now, UTC).isoformat(),
        "data": {
            "campaign": campaign.name,
            "title": campaign.title,
            "counts": dict(Counter(_word(status.state, status.reason) for _, status in statuses)),
            "not_made": unmade[:MOST_NAMED],
        },
    }


def _word(state: State, reason: object) -> str:
    return "cancelled" if state is State.FAILED and reason == CANCELLED else state.value


def _try(folders: DataFolders, call: Call, inside: bool, now: float, send: Send) -> tuple[Call | None, str]:
    """Call once; return what is left to do, and a sentence. The log names the host alone: a path may be a password."""
    host = urlsplit(call.address).hostname or ""
    body = call.body.encode()
    try:
        status = send(call.address, body, signed(secret_of(folders), call.id, int(now), body), inside)
        went_wrong = None if 200 <= status < 300 else f"it answered {status}"
    except (OSError, WebhookRefused) as error:
        status, went_wrong = 0, str(error).rstrip(".")
    if went_wrong is None:
        return _noted(folders, None, f"{host} was told that {call.campaign} is finished.", logging.INFO)
    if status == GONE or call.tries >= len(WAITS):
        sentence = f"{host} was not told that {call.campaign} is finished, and will not be: {went_wrong}."
        return _noted(folders, None, sentence, logging.ERROR)
    wait = WAITS[call.tries]
    later = replace(call, tries=call.tries + 1, next_at=now + wait)
    sentence = f"{host} could not be told that {call.campaign} is finished: {went_wrong}. Again in {wait:.0f} s."
    return _noted(folders, later, sentence, logging.WARNING)


def _noted(folders: DataFolders, left: Call | None, sentence: str, level: int) -> tuple[Call | None, str]:
    note(folders, sentence, "webhook", level=level)
    return left, sentence


def signed(secret: str, call: str, at: int, body: bytes) -> dict[str, str]:
    """The headers of a call.

    Args:
        at: POSIX time.
    """
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{call}.{at}.".encode() + body, hashlib.sha256).digest()
    return {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "heygem-pipeline",
        "webhook-id": call,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def secret_of(folders: DataFolders) -> str:
    """What receivers check signatures with: made once for a data folder, and read by its owner alone."""
    path = folders.state / "webhook.secret"
    with FileLock(f"{path}.lock"):
        known = _read(path)
        if known is not None:
            return known
        made = PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        write_private(path, made)
        return made


def _read(path: Path) -> str | None:
    try:
        text = path.read_text(encoding="ascii").strip()
        whole = len(base64.b64decode(text.removeprefix(PREFIX), validate=True)) >= SECRET_BYTES
    except (FileNotFoundError, ValueError):
        return None
    return text if whole and text.startswith(PREFIX) else None
