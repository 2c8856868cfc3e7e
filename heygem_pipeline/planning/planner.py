"""Where everything stands, uploads, wanted clips and deliveries: the one answer for sensors, schedules and commands."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import dagster as dg

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.campaigns.campaigns_folder import (
    contradictions,
    languages,
    load_campaigns,
    render_spec_of,
    wanted_clips,
)
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.backfills import awaited_by_backfills
from heygem_pipeline.planning.deliveries import delivery_spec
from heygem_pipeline.planning.failed_attempts import FailedAttempts
from heygem_pipeline.planning.machine_readiness import engine_of, lack_of_room, lack_of_weights, tracker_of
from heygem_pipeline.planning.requests import Requests, read_requests
from heygem_pipeline.planning.staleness import compare
from heygem_pipeline.planning.status import DONE, QUEUED, REMOVED, WAITING, State, Status
from heygem_pipeline.quality.report import settings_of_report
from heygem_pipeline.runs.failure_reasons import CANCELLED
from heygem_pipeline.runs.history import active_runs, failed_attempts
from heygem_pipeline.runs.materializations import data_versions, keys_in, presenters_of
from heygem_pipeline.runs.progress import read_progress
from heygem_pipeline.runs.stages import Stage, Subject
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.storage.versions import clip_version, presenter_version, recipe_version, voice_version
from heygem_pipeline.uploads.registry import Upload, UploadKind, Uploads

NOTHING_FINISHED = Status(State.WAITING, Message("delivery.nothing_finished"))


@dataclass(frozen=True)
class Plan:
    """Where everything stands.

    voices, presenters: every upload that was taken in. clips: the wanted ones. deliveries: of the voices they speak
    with. wanting: the campaigns that want each clip. recipes: how each clip is made. languages: of voices whose clips
    are named by it. tried: what runs of the stages before a clip would be made of.
    """

    voices: Mapping[str, Status]
    presenters: Mapping[str, Status]
    clips: Mapping[ClipKey, Status]
    deliveries: Mapping[str, Status]
    wanting: Mapping[ClipKey, tuple[Campaign, ...]]
    recipes: Mapping[ClipKey, str]
    languages: Mapping[str, str]
    tried: Mapping[Stage, Mapping[str, str]]

    @cached_property
    def counts(self) -> Counter[State]:
        """How many clips stand where."""
        return Counter(status.state for status in self.clips.values())

    def of_stage(self, stage: Stage) -> Mapping[str, Status]:
        """The uploads or deliveries, by key; clips are in ``clips``."""
        return {Stage.VOICE: self.voices, Stage.PRESENTER: self.presenters, Stage.DELIVERY: self.deliveries}[stage]

    def status(self, subject: Subject) -> Status | None:
        """Where this stands; None where it is not there, or not wanted."""
        if subject.stage is not Stage.CLIP:
            return self.of_stage(subject.stage).get(subject.key)
        return self.clips.get(subject.clip)

    def what_is_tried(self, subject: Subject) -> str:
        """All that a run would be made of now; while it is the same, what failed would fail again."""
        if subject.stage is not Stage.CLIP:
            return self.tried[subject.stage][subject.key]
        clip = subject.clip
        inputs = self.tried[Stage.VOICE][clip.voice], self.tried[Stage.PRESENTER][clip.presenter]
        return _joined(*inputs, self.recipes[clip])


def plan(
    instance: dg.DagsterInstance,
    folders: DataFolders,
    settings: Settings,
    clips: Collection[ClipKey] | None = None,
) -> Plan:
    """Say where everything stands that was taken in. clips: those to look at instead of the wanted ones."""
    uploads = Uploads(folders)
    voices, presenters = uploads.known(UploadKind.AUDIO), uploads.known(UploadKind.TEMPLATE)
    voice_files = {key: uploads.folder(UploadKind.AUDIO) / upload.file for key, upload in voices.items()}
    presenter_files = {key: uploads.folder(UploadKind.TEMPLATE) / upload.file for key, upload in presenters.items()}
    campaigns = load_campaigns(folders.campaigns, default_render_spec(settings))
    wanting = wanted_clips(campaigns, voice_files, presenter_files)
    if clips is not None:
        wanting = {
            clip: wanting.get(clip, ()) for clip in clips if clip.voice in voices and clip.presenter in presenters
        }
    spoken = languages(campaigns.usable, voice_files)
    return _Planner(instance, folders, settings, voices, presenters).plan(wanting, spoken)


class _Planner:
    """One look at everything; nothing is asked twice."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        folders: DataFolders,
        settings: Settings,
        voices: Mapping[str, Upload],
        presenters: Mapping[str, Upload],
    ) -> None:
        self._instance = instance
        self._folders = folders
        self._settings = settings
        self._uploads = {Stage.VOICE: voices, Stage.PRESENTER: presenters}
        self._trackers = {
            key: tracker_of(folders.presenters / upload.file, settings) for key, upload in presenters.items()
        }
        self._lacking = {tracker: lack_of_weights(tracker, settings) for tracker in set(self._trackers.values())}
        chosen = _digest(settings.decisive)
        self._tried = {
            Stage.VOICE: {key: _digest(f"{upload.fingerprint} {chosen}") for key, upload in voices.items()},
            Stage.PRESENTER: {
                key: _digest(f"{upload.fingerprint} {self._trackers[key]} {chosen}")
                for key, upload in presenters.items()
            },
        }
        # In this order: what goes on from one state to the next meanwhile is seen in the first or in both.
        self._awaited = awaited_by_backfills(instance)
        self._queued, self._running = active_runs(instance)
        self._attempts = failed_attempts(instance)
        self._requests: Requests = read_requests(folders)
        self._failed = FailedAttempts(instance, self._attempts, self._requests.forgiven)
        self._lack_of_room = lack_of_room(folders, settings.keep_free_gb)

    def plan(self, wanting: Mapping[ClipKey, tuple[Campaign, ...]], spoken: Mapping[str, str]) -> Plan:
        voices = self._of_uploads(
            Stage.VOICE,
            {key: voice_version(upload.fingerprint) for key, upload in self._uploads[Stage.VOICE].items()},
            data_versions(self._instance, self._folders, "audio_features"),
            keys_in(self._folders.voice("any").parent, ".parquet"),
        )
        presenters = self._of_uploads(
            Stage.PRESENTER,
            {
                key: presenter_version(known.fingerprint, self._trackers[key])
                for key, known in self._uploads[Stage.PRESENTER].items()
            },
            data_versions(self._instance, self._folders, "face_tracks"),
            keys_in(self._folders.tracks("any").parent, ".parquet"),
        )
        recipes, hindered = self._recipes(wanting)
        clips = self._of_clips(recipes, hindered | contradictions(wanting), voices, presenters)
        deliveries, tried = self._of_deliveries(clips, wanting, spoken)
        everything_tried = self._tried | {Stage.DELIVERY: tried}
        return Plan(voices, presenters, clips, deliveries, wanting, recipes, spoken, everything_tried)

    def _recipes(
        self, wanting: Mapping[ClipKey, tuple[Campaign, ...]]
    ) -> tuple[dict[ClipKey, str], dict[ClipKey, Message]]:
        """How each clip is made; and of those whose engine lacks something on this machine, what that is.

        Worked out once for all clips that the same campaigns want with the same tracker.
        """
        known: dict[tuple[int, str], tuple[str, Message | None]] = {}
        recipes, hindered, usual = {}, {}, default_render_spec(self._settings)
        for clip, campaigns in wanting.items():
            which = id(campaigns), self._trackers[clip.presenter]
            if which not in known:
                making = render_spec_of(campaigns, usual)
                engine, lack = engine_of(making.engine, self._settings)
                known[which] = recipe_version(which[1], engine, settings_of_report(making.settings)), lack
            recipes[clip], lack = known[which]
            if lack is not None:
                hindered[clip] = lack
        return recipes, hindered

    def _of_uploads(
        self, stage: Stage, wanted: Mapping[str, str], made: Mapping[str, str], there: Collection[str]
    ) -> dict[str, Status]:
        statuses = {}
        for key, version in wanted.items():
            subject = Subject(stage, key)
            known = made.get(key) if key in there else None
            lack = self._lacking.get(self._trackers[key]) if stage is Stage.PRESENTER else None
            compared = compare(known, version)
            statuses[key] = self._under_way(subject) or (
                compared
                if compared is DONE
                else (Status(State.FAILED, lack) if lack else None)
                or self._failed.status(subject, self._uploads[stage][key].since, self._tried[stage][key])
                or compared
            )
        return statuses

    def _of_clips(
        self,
        recipes: Mapping[ClipKey, str],
        hindered: Mapping[ClipKey, Message],
        voices: Mapping[str, Status],
        presenters: Mapping[str, Status],
    ) -> dict[ClipKey, Status]:
        made = data_versions(self._instance, self._folders, "encoded_video")
        voice_uploads, presenter_uploads = self._uploads[Stage.VOICE], self._uploads[Stage.PRESENTER]
        # Most clips are in no run: those that are, are few, and looked up only then.
        in_runs = {
            subject.key
            for group in (self._queued, self._running, self._awaited, self._attempts)
            for subject in group
            if subject.stage is Stage.CLIP
        }
        there: dict[str, set[str]] = {}
        removed: dict[str, set[str]] = {}
        statuses: dict[ClipKey, Status] = {}
        for clip, recipe in recipes.items():
            audio, template, key = clip.voice, clip.presenter, clip.partition
            if key in in_runs:
                under_way = self._under_way(Subject(Stage.CLIP, key))
                if under_way is not None:
                    statuses[clip] = under_way
                    continue
            if clip in hindered:
                statuses[clip] = Status(State.FAILED, hindered[clip])
                continue
            if audio not in there:
                there[audio] = presenters_of(self._folders, audio)
                removed[audio] = keys_in(self._folders.removed(ClipKey(audio, "any")).parent, ".removed")
            voice, presenter = voice_uploads[audio], presenter_uploads[template]
            known = made.get(key) if template in there[audio] else None
            version = clip_version(voice.fingerprint, presenter.fingerprint, recipe)
            compared = compare(known, version)
            if compared is DONE:
                statuses[clip] = DONE
                continue
            if template in removed[audio] and made.get(key) == version:
                statuses[clip] = REMOVED
                continue
            inputs = voices[audio], presenters[template]
            broken = next((status for status in inputs if status.state is State.FAILED), None)
            since = max(voice.since, presenter.since)
            if broken is not None:
                statuses[clip] = broken
            elif self._requests.cancelled.get(key, 0.0) > since:
                statuses[clip] = Status(State.FAILED, CANCELLED)
            elif any(status.state is not State.DONE for status in inputs):
                statuses[clip] = WAITING
            else:
                failed = None
                if key in in_runs:
                    tried = _joined(self._tried[Stage.VOICE][audio], self._tried[Stage.PRESENTER][template], recipe)
                    failed = self._failed.status(Subject(Stage.CLIP, key), since, tried)
                held_back = Status(State.WAITING, self._lack_of_room) if self._lack_of_room else compared
                statuses[clip] = failed or held_back
        return statuses

    def _of_deliveries(
        self,
        clips: Mapping[ClipKey, Status],
        wanting: Mapping[ClipKey, tuple[Campaign, ...]],
        spoken: Mapping[str, str],
    ) -> tuple[dict[str, Status], dict[str, str]]:
        """Where the ZIP of every voice stands, and of what it is made; it waits until all its clips are settled."""
        made = data_versions(self._instance, self._folders, "delivery")
        versions = data_versions(self._instance, self._folders, "encoded_video")
        there = keys_in(self._folders.delivery("any").parent, ".zip")
        of_voice: dict[str, list[ClipKey]] = {}
        for clip in clips:
            of_voice.setdefault(clip.voice, []).append(clip)
        statuses, tried = {}, {}
        for audio, its_clips in of_voice.items():
            subject = Subject(Stage.DELIVERY, audio)
            states = {clips[clip].state for clip in its_clips}
            under_way = self._under_way(subject)
            if under_way is not None or not all(clips[clip].settled for clip in its_clips):
                statuses[audio] = under_way or WAITING
                continue
            if State.DONE not in states:
                statuses[audio] = NOTHING_FINISHED
                continue
            order = delivery_spec(self._folders, its_clips, clips, wanting, versions, spoken.get(audio))
            version = tried[audio] = order.version
            compared = compare(made.get(audio) if audio in there else None, version)
            statuses[audio] = compared if compared is DONE else self._failed.status(subject, 0.0, version) or compared
        return statuses, tried

    def _under_way(self, subject: Subject) -> Status | None:
        if subject in self._running:
            run_id = self._running[subject]
            progress = read_progress(self._folders, run_id)
            share = progress.share_of_run(subject.stage) if progress is not None else None
            return Status(State.RUNNING, run_id=run_id, share=share)
        if subject in self._queued:
            return Status(State.QUEUED, run_id=self._queued[subject])
        return QUEUED if subject in self._awaited else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _joined(voice: str, presenter: str, recipe: str) -> str:
    return _digest(f"{voice} {presenter} {recipe}")
