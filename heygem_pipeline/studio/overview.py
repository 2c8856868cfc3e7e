"""All that the page shows, as JSON values. It holds no path of this machine."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.campaigns.campaigns_folder import Campaigns, matches
from heygem_pipeline.campaigns.cron import next_time
from heygem_pipeline.clip.sidecar import is_photograph, read_sidecar, read_trim
from heygem_pipeline.errors import SidecarWrong
from heygem_pipeline.faces.boxes import FacePlace
from heygem_pipeline.faces.fitness import SEEN_IN_FRAMES
from heygem_pipeline.messages.message import Message, legible
from heygem_pipeline.operations.earlier_clips import all_earlier
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.status import State, Status
from heygem_pipeline.planning.time_left import Estimate, seconds_left, seconds_left_of_all
from heygem_pipeline.runs.cluster_workers import Worker
from heygem_pipeline.settings import ClipSettings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio.batches import choices_of
from heygem_pipeline.studio.first_look_worker import FirstLooks
from heygem_pipeline.studio.texts import message_json, sentence_of
from heygem_pipeline.synthesis.front_matter import language_of_name
from heygem_pipeline.synthesis.transcript import Transcript, read_transcript
from heygem_pipeline.uploads.registry import Upload, UploadKind, Uploads
from heygem_pipeline.uploads.tags import TaggedKind, Tags
from heygem_pipeline.uploads.voice_languages import languages_of

EVERYTHING = ""
"""The name of the batch that stands for every voice with every presenter, where there is no campaign."""


@dataclass(frozen=True)
class PipelineState:
    """What was read at one moment.

    known: the uploads that have a key. settings: the Studio's. began: POSIX time at which running runs started.
    estimate: from the latest clips. served: does anything start runs? now: POSIX time.
    workers: of a cluster; None where this machine makes everything itself.
    """

    found: Plan
    uploads: Uploads
    known: Mapping[UploadKind, Mapping[str, Upload]]
    settings: ClipSettings
    campaigns: Campaigns
    began: Mapping[str, float]
    estimate: Estimate | None
    served: bool
    now: float
    workers: Sequence[Worker] | None

    @cached_property
    def clips_made_at(self) -> Mapping[Path, int]:
        """When each finished clip was made, in nanoseconds."""
        folders = self.uploads.folders
        return {one.path: one.modified for one in folders.files.below(folders.outputs)}


def overview(state: PipelineState, first_looks: FirstLooks, language: str) -> dict[str, Any]:
    """Return what is shown, in a language; ``version`` changes whenever anything else in it does."""
    voices = [*_uploads(state, first_looks, UploadKind.VOICE, language), *_scripts(state, language)]
    presenters = list(_uploads(state, first_looks, UploadKind.PRESENTER, language))
    lengths = {voice["key"]: voice["seconds"] for voice in voices}
    left = {
        clip: _seconds_left(state, status, lengths.get(clip.voice))
        for clip, status in state.found.clips.items()
        if not status.settled
    }
    earlier = Counter(one.clip for one in all_earlier(state.uploads.folders))
    shown = {
        "served": state.served,
        "voices": voices,
        "presenters": presenters,
        "batches": list(_batches(state, left, language)),
        "clips": {
            clip.partition: _clip(state, clip, status, language, left.get(clip))
            | ({"earlier": earlier[clip]} if clip in earlier else {})
            for clip, status in state.found.clips.items()
        },
        "languages": languages_of(state.uploads.folders),
        "estimated": state.estimate is not None,
        "workers": None if state.workers is None else list(_workers(state, state.workers, language)),
    }
    return shown | {"version": sha256(dumps(shown, sort_keys=True).encode()).hexdigest()[:16]}


def _workers(state: PipelineState, workers: Sequence[Worker], language: str) -> Iterator[dict[str, Any]]:
    root = state.uploads.folders.root
    clip_of = {status.run_id: str(clip) for clip, status in state.found.clips.items() if status.state is State.RUNNING}
    for worker in workers:
        yield {
            "queue": worker.queue.value,
            "machine": worker.machine,
            "card": worker.cards,
            "state": "working" if worker.runs and worker.is_there else worker.state.value,
            "clips": [clip_of[run.run_id] for run in worker.runs if run.run_id in clip_of],
            "reason": message_json(worker.reason, language, root) if worker.reason is not None else None,
        }


def _uploads(
    state: PipelineState, first_looks: FirstLooks, kind: UploadKind, language: str
) -> Iterator[dict[str, Any]]:
    statuses = state.found.voices if kind is UploadKind.VOICE else state.found.presenters
    root = state.uploads.folders.root
    known = {upload.file: (key, upload) for key, upload in state.known[kind].items()}
    tags = Tags(state.uploads.folders).of(TaggedKind.VOICES if kind is UploadKind.VOICE else TaggedKind.PRESENTERS)
    for path in state.uploads.files(kind):
        key, upload = known.get(path.name, (None, None))
        status = statuses.get(key) if key else None
        examined = first_looks.known(kind, path)
        refused = status.reason if status is not None and status.state is State.FAILED else None
        doubt = examined.refused if examined and not (status and status.state is State.DONE) else None
        yield {
            "key": key,
            "file": legible(path.name),
            "mark": _mark(upload),
            "added": upload.since if upload else state.now,
            "checked": status is not None and status.state in (State.DONE, State.FAILED),
            "refused": message_json(refused, language, root) if refused is not None else None,
            "seconds": examined.seconds if examined else None,
            "width": examined.width if examined else 0,
            "height": examined.height if examined else 0,
            "clip_seconds": _clip_seconds(state, examined.seconds) if examined and kind is UploadKind.VOICE else None,
            "doubt": message_json(doubt, language, root) if doubt is not None else None,
            "warnings": [message_json(warning, language, root) for warning in examined.warnings] if examined else [],
            "examined": examined is not None,
            "share": _share(first_looks, kind, path, status),
            "tags": tags.get(key or "", ()),
            "trim": _part_of(kind, path),
            "picture": bool(examined and examined.picture),
            "faces": examined.faces if examined else [],
            "face": _chosen_face(path) if examined and examined.faces else None,
            "moving": _moving(path) if kind is UploadKind.PRESENTER else None,
            "trouble": bool(examined and examined.trouble and _is_seen(refused or doubt)),
        }


def _scripts(state: PipelineState, language: str) -> Iterator[dict[str, Any]]:
    """The voices that are brought as scripts: of a spoken one, its recording can be heard."""
    folders = state.uploads.folders
    tags = Tags(folders).of(TaggedKind.VOICES)
    for key, upload in state.known[UploadKind.SCRIPT].items():
        status = state.found.voices.get(key)
        refused = status.reason if status is not None and status.state is State.FAILED else None
        transcript = _transcript(folders, key)
        seconds = transcript.sentences[-1].end if transcript else None
        share = status.share if status is not None and status.state is State.RUNNING else None
        yield {
            "key": key,
            "file": legible(upload.file),
            "mark": transcript.sha256[:12] if transcript else _mark(upload),
            "added": upload.since,
            "checked": status is not None and status.state in (State.DONE, State.FAILED),
            "refused": message_json(refused, language, folders.root) if refused is not None else None,
            "seconds": seconds,
            "width": 0,
            "height": 0,
            "clip_seconds": _clip_seconds(state, seconds),
            "doubt": None,
            "warnings": [],
            "examined": True,
            "share": None if share is None else round(share, 2),
            "tags": tags.get(key, ()),
            "trim": None,
            "picture": False,
            "faces": [],
            "face": None,
            "moving": None,
            "trouble": False,
            "spoken": {
                "now": status is not None and status.state is State.DONE and transcript is not None,
                "voice": f"{transcript.voice} ({transcript.engine})" if transcript else "",
                "language": (transcript.language if transcript else "") or language_of_name(key) or "",
            },
        }


def _chosen_face(presenter: Path) -> FacePlace | None:
    try:
        return read_sidecar(presenter).face
    except SidecarWrong:
        return None


def _moving(presenter: Path) -> bool | None:
    """Whether a photograph moves; None for a video."""
    if not is_photograph(presenter):
        return None
    try:
        return read_sidecar(presenter).moves()
    except SidecarWrong:
        return False


def _part_of(kind: UploadKind, path: Path) -> dict[str, float | None] | None:
    """The part of an upload that is used; None where it is all of it, or nobody can tell."""
    try:
        trim = read_trim(path) if kind is UploadKind.VOICE else read_sidecar(path).trim
    except SidecarWrong:
        return None
    if trim.is_whole:
        return None
    return {"start": float(trim.start), "end": None if trim.end is None else float(trim.end)}


def _transcript(folders: DataFolders, key: str) -> Transcript | None:
    try:
        return read_transcript(folders.files.fetch(folders.transcript(key)))
    except (OSError, ValueError, KeyError):
        return None


def _share(first_looks: FirstLooks, kind: UploadKind, path: Path, status: Status | None) -> float | None:
    """How far its analysis is, or before that its first look, 0 to 1; None where neither is under way or tells."""
    if status is not None and status.state is State.RUNNING:
        return None if status.share is None else round(status.share, 2)
    return first_looks.share(kind, path)


def _is_seen(reason: Message | None) -> bool:
    """Is it something that a frame shows, and not that this machine lacks weights, say?"""
    return reason is not None and reason.code in SEEN_IN_FRAMES


def _clip_seconds(state: PipelineState, duration: float | None) -> float | None:
    """How long a clip of a voice of this length takes; None where nobody can tell."""
    return state.estimate.seconds_for(duration) if state.estimate and duration else None


def _seconds_left(state: PipelineState, status: Status, duration: float | None) -> float | None:
    began = state.began.get(status.run_id or "")
    spent = state.now - began if began is not None else 0.0
    return seconds_left(state.estimate, duration, status.share, spent)


def _mark(upload: Upload | None) -> str:
    """Changes with the content, so that browsers may keep what they have."""
    return upload.fingerprint[:12] if upload else ""


def _batches(state: PipelineState, left: Mapping[ClipKey, float | None], language: str) -> Iterator[dict[str, Any]]:
    voices = state.uploads.voices(state.known)
    presenters = state.uploads.paths(UploadKind.PRESENTER, state.known[UploadKind.PRESENTER])
    if state.campaigns.everything and voices and presenters:
        named = {"name": EVERYTHING, "title": "", "made": 0.0}
        of_all = {"voices": list(voices), "presenters": list(presenters)}
        yield named | of_all | {"left": _left_of(state, left, voices, presenters)}
    for campaign in state.campaigns.usable:
        found = matches(campaign, voices, presenters)
        yield {
            "name": campaign.name,
            "title": campaign.title,
            "made": _made(state, campaign),
            "voices": sorted(found.voices),
            "presenters": list(found.presenters),
            "scheduled": _next_time(state, campaign),
            "left": _left_of(state, left, found.voices, found.presenters),
            # Its path may be a password.
            "tells": urlsplit(campaign.webhook).hostname if campaign.webhook else None,
        } | choices_of(campaign, state.settings)
    for wrong in state.campaigns.wrong:
        problems = [sentence_of(problem, language) for problem in wrong.problems]
        yield {"name": None, "title": "", "made": 0.0, "voices": [], "presenters": [], "wrong": problems}


def _left_of(
    state: PipelineState,
    left: Mapping[ClipKey, float | None],
    voices: Collection[str],
    presenters: Collection[str],
) -> int | None:
    wanted = (ClipKey(voice, presenter) for voice in voices for presenter in presenters)
    seconds = seconds_left_of_all(state.estimate, [left[clip] for clip in wanted if clip in left])
    return None if seconds is None else round(seconds)


def _next_time(state: PipelineState, campaign: Campaign) -> float | None:
    """POSIX time at which its clips are made next; None where no time is fixed."""
    if campaign.schedule is None:
        return None
    return next_time(campaign.schedule, campaign.timezone, datetime.fromtimestamp(state.now, UTC)).timestamp()


def _made(state: PipelineState, campaign: Campaign) -> float:
    try:
        return (state.uploads.folders.campaigns / campaign.file).stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _clip(state: PipelineState, clip: ClipKey, status: Status, language: str, left: float | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"voice": clip.voice, "presenter": clip.presenter, "state": status.state.value}
    if status.reason is not None:
        shown["why"] = message_json(status.reason, language, state.uploads.folders.root)
    if status.run_id:
        shown["run"] = status.run_id
    if status.state is State.RUNNING:
        if status.share is not None:
            shown["share"] = round(status.share, 3)
        if left is not None:
            shown["left"] = round(left)
    if status.state is State.DONE:
        shown["mark"] = _made_at(state, clip)
    return shown


def _made_at(state: PipelineState, clip: ClipKey) -> str:
    modified = state.clips_made_at.get(state.uploads.folders.clip(clip))
    return "" if modified is None else f"{modified // 10**6:x}"
