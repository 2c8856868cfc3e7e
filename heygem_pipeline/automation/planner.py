"""Where every wanted clip stands, and its voice and presenter: the one answer for sensors, schedules and commands."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import dagster as dg

from heygem_pipeline.assets.uploads import Upload, UploadKind, Uploads
from heygem_pipeline.automation.campaign import Campaign
from heygem_pipeline.automation.campaigns import Clip, load_campaigns, wanted_clips
from heygem_pipeline.automation.made import data_versions, keys_in, presenters_of
from heygem_pipeline.automation.requests import Requests, read_requests
from heygem_pipeline.automation.run_records import (
    INTERRUPTED,
    LOGS_READ,
    SENTENCE_TAG,
    TRIED_TAG,
    Attempt,
    active_runs,
    awaited_by_backfills,
    failed_attempts,
    read_sentence,
    share_done,
)
from heygem_pipeline.automation.stages import Stage, Subject, key_of
from heygem_pipeline.clip.presenter import current_tracker
from heygem_pipeline.errors import SidecarWrong
from heygem_pipeline.lipsync.engines import load_engine
from heygem_pipeline.quality.report import clip_version, mark_settings, recipe_version
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.folders import DataFolders

INTERRUPTIONS = 3
"""A run whose process was killed is asked for again, but not without end: it may be what kills the process."""

INTERRUPTED_SENTENCE = (
    "The process that worked on it was killed {} times; see the logs of its runs, then: heygem retry."
)
UNREAD_SENTENCE = "It failed; the log of its run says why."


class Stand(StrEnum):
    """Where something stands."""

    WAITING = "waiting"
    READY = "ready"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    STALE = "stale"
    FAILED = "failed"


@dataclass(frozen=True)
class Standing:
    """sentence: why it waits or failed. run_id: of the run that is queued, running or failed. share: done, 0 to 1."""

    stand: Stand
    sentence: str = ""
    run_id: str | None = None
    share: float | None = None

    @property
    def to_be_made(self) -> bool:
        """Could a run be started for it now?"""
        return self.stand in (Stand.READY, Stand.STALE)


WAITING, READY, QUEUED, DONE, STALE = (
    Standing(stand) for stand in (Stand.WAITING, Stand.READY, Stand.QUEUED, Stand.DONE, Stand.STALE)
)


@dataclass(frozen=True)
class Plan:
    """voices, presenters: every upload that was taken in. clips: the wanted ones. wanting: the campaigns of each."""

    voices: Mapping[str, Standing]
    presenters: Mapping[str, Standing]
    clips: Mapping[Clip, Standing]
    wanting: Mapping[Clip, tuple[Campaign, ...]]
    tried: Mapping[Stage, Mapping[str, str]]

    @cached_property
    def counts(self) -> Counter[Stand]:
        """How many clips stand where."""
        return Counter(standing.stand for standing in self.clips.values())

    def standing(self, subject: Subject) -> Standing | None:
        """Where this stands; None where it is not there, or not wanted."""
        if subject.stage is Stage.CLIP:
            audio, _, template = subject.key.partition("|")
            return self.clips.get((audio, template))
        return (self.voices if subject.stage is Stage.VOICE else self.presenters).get(subject.key)

    def what_is_tried(self, subject: Subject) -> str:
        """All that a run would be made of now; while it is the same, what failed would fail again."""
        if subject.stage is not Stage.CLIP:
            return self.tried[subject.stage][subject.key]
        audio, _, template = subject.key.partition("|")
        return _joined(self.tried[Stage.VOICE][audio], self.tried[Stage.PRESENTER][template])


def plan(instance: dg.DagsterInstance, folders: DataFolders, clips: Collection[Clip] | None = None) -> Plan:
    """Say where everything stands that was taken in. clips: those to look at instead of the wanted ones."""
    uploads = Uploads(folders)
    voices, presenters = uploads.known(UploadKind.AUDIO), uploads.known(UploadKind.TEMPLATE)
    if clips is None:
        files = (
            {key: uploads.folder(kind) / upload.file for key, upload in known.items()}
            for kind, known in ((UploadKind.AUDIO, voices), (UploadKind.TEMPLATE, presenters))
        )
        wanting = wanted_clips(load_campaigns(folders.campaigns), *files)
    else:
        wanting = dict.fromkeys(((a, t) for a, t in clips if a in voices and t in presenters), ())
    return _Planner(instance, folders, voices, presenters).plan(wanting)


class _Planner:
    """One look at everything; nothing is asked twice."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        folders: DataFolders,
        voices: Mapping[str, Upload],
        presenters: Mapping[str, Upload],
    ) -> None:
        self._instance = instance
        self._folders = folders
        self._uploads = {Stage.VOICE: voices, Stage.PRESENTER: presenters}
        self._trackers = {key: _tracker_of(folders.presenters / upload.file) for key, upload in presenters.items()}
        engine = load_engine(settings().engine)
        self._recipes = {
            tracker: recipe_version(tracker, f"{engine.name} {engine.version}", mark_settings())
            for tracker in set(self._trackers.values())
        }
        chosen = _digest(settings().model_dump_json(exclude={"data", "automatic", "queue_length"}))
        engine_now = f"{engine.name} {engine.version}"
        how = {Stage.VOICE: {}, Stage.PRESENTER: self._trackers}
        self._tried = {
            stage: {
                key: _digest(f"{upload.fingerprint} {how[stage].get(key, '')} {chosen} {engine_now}")
                for key, upload in known.items()
            }
            for stage, known in self._uploads.items()
        }
        # In this order: what goes on from one state to the next meanwhile is seen in the first or in both.
        self._awaited = awaited_by_backfills(instance)
        self._queued, self._running = active_runs(instance)
        self._attempts = failed_attempts(instance)
        self._requests: Requests = read_requests(folders)
        self._logs_left = LOGS_READ

    def plan(self, wanting: Mapping[Clip, tuple[Campaign, ...]]) -> Plan:
        voices = self._of_uploads(
            Stage.VOICE,
            {key: upload.fingerprint for key, upload in self._uploads[Stage.VOICE].items()},
            data_versions(self._instance, self._folders, "audio_features"),
            keys_in(self._folders.voice("any").parent, ".parquet"),
        )
        presenters = self._of_uploads(
            Stage.PRESENTER,
            {
                key: f"{known.fingerprint}-{self._trackers[key]}"
                for key, known in self._uploads[Stage.PRESENTER].items()
            },
            data_versions(self._instance, self._folders, "face_tracks"),
            keys_in(self._folders.tracks("any").parent, ".parquet"),
        )
        return Plan(voices, presenters, self._of_clips(wanting, voices, presenters), wanting, self._tried)

    def _of_uploads(
        self, stage: Stage, wanted: Mapping[str, str], made: Mapping[str, str], there: Collection[str]
    ) -> dict[str, Standing]:
        standings = {}
        for key, version in wanted.items():
            subject = Subject(stage, key)
            known = made.get(key) if key in there else None
            standings[key] = self._under_way(subject) or (
                DONE
                if known == version
                else self._failed(subject, self._uploads[stage][key].since, self._tried[stage][key])
                or (READY if known is None else STALE)
            )
        return standings

    def _of_clips(
        self, clips: Iterable[Clip], voices: Mapping[str, Standing], presenters: Mapping[str, Standing]
    ) -> dict[Clip, Standing]:
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
        standings: dict[Clip, Standing] = {}
        for clip in clips:
            audio, template = clip
            key = key_of(audio, template)
            if key in in_runs:
                under_way = self._under_way(Subject(Stage.CLIP, key))
                if under_way is not None:
                    standings[clip] = under_way
                    continue
            if audio not in there:
                there[audio] = presenters_of(self._folders, audio)
            voice, presenter = voice_uploads[audio], presenter_uploads[template]
            known = made.get(key) if template in there[audio] else None
            recipe = self._recipes[self._trackers[template]]
            if known is not None and known == clip_version(voice.fingerprint, presenter.fingerprint, recipe):
                standings[clip] = DONE
                continue
            inputs = voices[audio], presenters[template]
            broken = next((standing for standing in inputs if standing.stand is Stand.FAILED), None)
            if broken is not None:
                standings[clip] = broken
            elif any(standing.stand is not Stand.DONE for standing in inputs):
                standings[clip] = WAITING
            else:
                failed = None
                if key in in_runs:
                    tried = _joined(self._tried[Stage.VOICE][audio], self._tried[Stage.PRESENTER][template])
                    failed = self._failed(Subject(Stage.CLIP, key), max(voice.since, presenter.since), tried)
                standings[clip] = failed or (READY if known is None else STALE)
        return standings

    def _under_way(self, subject: Subject) -> Standing | None:
        if subject in self._running:
            run_id = self._running[subject]
            return Standing(Stand.RUNNING, run_id=run_id, share=share_done(self._instance, run_id, subject.stage))
        if subject in self._queued:
            return Standing(Stand.QUEUED, run_id=self._queued[subject])
        return QUEUED if subject in self._awaited else None

    def _failed(self, subject: Subject, since: float, tried: str) -> Standing | None:
        """The standing of what failed and would fail again; None where it is worth a run."""
        attempts = self._attempts.get(subject)
        if attempts is None:
            return None
        since = max(since, self._requests.forgiven.get(f"{subject.stage} {subject.key}", 0.0))
        interruptions = 0
        if attempts[0].retried_soon:
            return QUEUED
        for attempt in attempts:
            if attempt.at < since or attempt.tried not in (tried, None):
                break
            sentence = self._sentence(attempt, tried)
            if sentence == INTERRUPTED:
                interruptions += 1
                if interruptions == INTERRUPTIONS:
                    return Standing(Stand.FAILED, INTERRUPTED_SENTENCE.format(interruptions), attempt.run_id)
                continue
            return Standing(Stand.FAILED, sentence, attempt.run_id)
        return None

    def _sentence(self, attempt: Attempt, tried: str) -> str:
        if attempt.sentence is not None and attempt.tried is not None:
            return attempt.sentence
        if self._logs_left == 0:
            return attempt.sentence or UNREAD_SENTENCE
        self._logs_left -= 1
        sentence = attempt.sentence or read_sentence(self._instance, attempt.run_id)
        # A run launched in the page says not what it tried: then it was what is there when its failure is seen.
        self._instance.add_run_tags(attempt.run_id, {SENTENCE_TAG: sentence, TRIED_TAG: attempt.tried or tried})
        return sentence


def _tracker_of(upload: Path) -> str:
    """What a presenter is tracked with; with a sidecar that cannot be understood it counts as made with nothing yet."""
    try:
        return current_tracker(upload)
    except SidecarWrong as error:
        return str(error)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _joined(voice: str, presenter: str) -> str:
    return f"{voice}-{presenter}"
