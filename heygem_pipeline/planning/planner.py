"""The state of everything, uploads, wanted clips and deliveries: the one answer for sensors, schedules and commands."""

from collections.abc import Collection, Mapping

import dagster as dg

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.campaigns.campaigns_folder import languages, load_campaigns, speech_orders, wanted_clips
from heygem_pipeline.campaigns.contradictions import contradictions
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.clip.voice_text import text_versions
from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.backfills import awaited_by_backfills
from heygem_pipeline.planning.delivery_contents import delivery_spec
from heygem_pipeline.planning.failed_attempts import FailedAttempts
from heygem_pipeline.planning.free_space import lack_of_free_space
from heygem_pipeline.planning.machine_readiness import lack_of_outputs, lack_of_weights, tracking_of, voice_parts
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.requests import read_requests
from heygem_pipeline.planning.run_inputs import RunInputs
from heygem_pipeline.planning.script_statuses import script_statuses
from heygem_pipeline.planning.status import DONE, QUEUED, REMOVED, SETTLED, WAITING, State, Status, compare
from heygem_pipeline.runs.failure_reasons import CANCELLED
from heygem_pipeline.runs.history import active_runs, read_failed_attempts
from heygem_pipeline.runs.materializations import ClipFiles, data_versions, keys_like
from heygem_pipeline.runs.progress import read_progress
from heygem_pipeline.runs.stages import Stage, Subject
from heygem_pipeline.settings import Settings
from heygem_pipeline.speech.analysis import ANALYSIS_VERSION
from heygem_pipeline.storage.clip_key import ClipKey, partition_of
from heygem_pipeline.storage.clip_table import ClipTable
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.storage.version_strings import clip_versions, presenter_version, voice_version
from heygem_pipeline.synthesis.front_matter import FrontMatter
from heygem_pipeline.uploads.registry import Upload, UploadKind, Uploads, same_names

NOTHING_FINISHED = Status(State.WAITING, Message("delivery.nothing_finished"))


def plan(
    instance: dg.DagsterInstance,
    folders: DataFolders,
    settings: Settings,
    clips: Collection[ClipKey] | None = None,
) -> Plan:
    """Say where everything stands that was taken in.

    Args:
        clips: those to look at instead of the wanted ones.
    """
    uploads = Uploads(folders)
    known = {kind: uploads.known(kind) for kind in UploadKind}
    presenters = known[UploadKind.PRESENTER]
    voice_files = uploads.voices(known)
    presenter_files = uploads.paths(UploadKind.PRESENTER, presenters)
    campaigns = load_campaigns(folders.campaigns, default_render_spec(settings))
    wanting = wanted_clips(campaigns, voice_files, presenter_files)
    if clips is not None:
        there = [clip for clip in clips if clip.voice in voice_files and clip.presenter in presenters]
        wanting = ClipTable.of((clip, wanting.get(clip, ())) for clip in there)
    spoken = languages(campaigns.usable, voice_files)
    orders = speech_orders(campaigns.usable, voice_files)
    away = next((reason for kind in UploadKind if (reason := uploads.away(kind)) is not None), None)
    return _Planner(instance, folders, settings, known, orders, away).plan(wanting, spoken)


class _Planner:
    """One look at everything; nothing is asked twice."""

    def __init__(
        self,
        instance: dg.DagsterInstance,
        folders: DataFolders,
        settings: Settings,
        known: Mapping[UploadKind, Mapping[str, Upload]],
        orders: Mapping[str, FrontMatter | Message],
        away: Message | None,
    ) -> None:
        self._instance = instance
        self._folders = folders
        recordings, presenters = known[UploadKind.VOICE], known[UploadKind.PRESENTER]
        scripts = self._scripts = script_statuses(instance, folders, settings, known[UploadKind.SCRIPT], orders)
        self._voices = {**recordings, **{key: script.as_voice for key, script in scripts.items()}}
        self._presenters = presenters
        self._refused = same_names(recordings, known[UploadKind.SCRIPT])
        tracking = {key: tracking_of(folders.presenters / upload.file, settings) for key, upload in presenters.items()}
        self._trackers = {key: one.tracker for key, one in tracking.items()}
        self._lacking = {tracker: lack_of_weights(tracker, settings) for tracker in set(self._trackers.values())}
        anyway = {key for key, one in tracking.items() if one.anyway}
        voices = {**recordings, **{key: script.as_input for key, script in scripts.items()}}
        files = {key: folders.voices / upload.file for key, upload in recordings.items()}
        texts = text_versions(files)
        texts |= {key: script.version for key, script in scripts.items() if script.recording}
        self._voice_parts = voice_parts(files)
        self._inputs = RunInputs(voices, presenters, self._trackers, anyway, settings, texts, self._voice_parts)
        # In this order: what goes on from one state to the next meanwhile is seen in the first or in both.
        self._awaited = awaited_by_backfills(instance)
        self._queued, self._running = active_runs(instance)
        attempts = read_failed_attempts(instance)
        # Most clips are in no run: those that are, are few, and looked up only then.
        self._clips_in_runs = {
            subject.key
            for group in (self._queued, self._running, self._awaited, attempts)
            for subject in group
            if subject.stage is Stage.CLIP
        }
        self._requests = read_requests(folders)
        self._failed = FailedAttempts(instance, attempts, self._requests.forgiven)
        # A run would find no upload, and count as failed when they are back.
        self._away = Status(State.WAITING, away) if away else None
        lack = away or lack_of_outputs(folders) or lack_of_free_space(folders, settings.keep_free_gb)
        self._held_back = Status(State.WAITING, lack) if lack else None

    def plan(self, wanting: ClipTable[tuple[Campaign, ...]], spoken: Mapping[str, str]) -> Plan:
        voices, presenters = self._of_voices(), self._of_presenters()
        clips = self._of_clips(wanting, voices, presenters)
        deliveries, versions = self._of_deliveries(clips, wanting, spoken)
        return Plan(voices, presenters, clips, deliveries, wanting, spoken, self._inputs, versions)

    def _of_voices(self) -> dict[str, Status]:
        made = data_versions(self._instance, self._folders, "audio_features")
        there = keys_like(self._folders, self._folders.voice("any"))
        statuses = {}
        for key, upload in self._voices.items():
            subject, digest = Subject(Stage.VOICE, key), self._inputs.of_voice(key)
            analysis = f"{ANALYSIS_VERSION} {self._voice_parts.get(key, '')}".rstrip()
            compared = compare(made.get(key) if key in there else None, voice_version(upload.fingerprint, analysis))
            script = self._scripts.get(key)
            if script is not None and script.changing:
                compared = WAITING
            hindrance = self._refused.get(key) or (script.hindrance if script is not None else None)
            statuses[key] = self._of_upload(subject, compared, hindrance, upload.since, digest)
        return statuses

    def _of_presenters(self) -> dict[str, Status]:
        made = data_versions(self._instance, self._folders, "face_tracks")
        there = keys_like(self._folders, self._folders.tracks("any"))
        statuses = {}
        for key, upload in self._presenters.items():
            subject, digest = Subject(Stage.PRESENTER, key), self._inputs.of_presenter(key)
            tracker = self._trackers[key]
            compared = compare(made.get(key) if key in there else None, presenter_version(upload.fingerprint, tracker))
            statuses[key] = self._of_upload(subject, compared, self._lacking[tracker], upload.since, digest)
        return statuses

    def _of_upload(
        self, subject: Subject, compared: Status, lack: Message | None, uploaded: float, digest: str
    ) -> Status:
        under_way = self._under_way(subject)
        if under_way is not None or compared is DONE:
            return under_way or DONE
        if lack is not None:
            return Status(State.FAILED, lack)
        return self._failed.status(subject, uploaded, digest) or self._away or compared

    def _of_clips(
        self,
        wanting: ClipTable[tuple[Campaign, ...]],
        voices: Mapping[str, Status],
        presenters: Mapping[str, Status],
    ) -> ClipTable[Status]:
        made = data_versions(self._instance, self._folders, "encoded_video")
        disagreements = {clip.partition: why for clip, why in contradictions(wanting).items()}
        undecided = self._clips_in_runs | disagreements.keys()
        self._clip_files = ClipFiles.of_voices(self._folders, wanting.rows.keys())
        rows: dict[str, dict[str, Status]] = {}
        for voice_key, row in wanting.rows.items():
            statuses = rows[voice_key] = {}
            files, before = self._clip_files[voice_key], partition_of(voice_key, "")
            finished, removed, voice = files.finished, files.removed, voices[voice_key]
            alike = self._inputs.without_voice(voice_key, row)
            for presenter_key, version in clip_versions(self._voices[voice_key].fingerprint, alike.versions).items():
                key = before + presenter_key
                known, there = made.get(key), presenter_key in finished
                # Most of a hundred thousand are as they should be.
                if there and known == version and key not in undecided:
                    statuses[presenter_key] = DONE
                    continue
                gone = not there and known == version and presenter_key in removed
                compared = REMOVED if gone else compare(known if there else None, version)
                hindrance = disagreements.get(key) or alike.lacks.get(presenter_key)
                inputs = voice, presenters[presenter_key]
                statuses[presenter_key] = self._of_clip(key, row[presenter_key], inputs, compared, hindrance)
        return ClipTable(rows)

    def _of_clip(
        self,
        key: str,
        wanting: tuple[Campaign, ...],
        inputs: tuple[Status, Status],
        compared: Status,
        hindrance: Message | None,
    ) -> Status:
        """Where a clip stands, given by its partition key.

        Args:
            inputs: where its voice and its presenter stand.
        """
        subject = Subject(Stage.CLIP, key) if key in self._clips_in_runs else None
        if subject is not None and (under_way := self._under_way(subject)) is not None:
            return under_way
        if hindrance is not None:
            return Status(State.FAILED, hindrance)
        if compared.settled:
            return compared
        for status in inputs:
            if status.state is State.FAILED:
                return status
        cancelled = self._requests.cancelled.get(key)
        if cancelled is not None and cancelled > self._inputs.newest_upload(ClipKey.from_partition(key)):
            return Status(State.FAILED, CANCELLED)
        if inputs[0].state is not State.DONE or inputs[1].state is not State.DONE:
            return WAITING
        failed = None
        if subject is not None:
            uploaded, digest = self._inputs.newest_upload(subject.clip), self._inputs.of_clip(subject.clip, wanting)
            failed = self._failed.status(subject, uploaded, digest)
        return failed or self._held_back or compared

    def _of_deliveries(
        self,
        clips: ClipTable[Status],
        wanting: ClipTable[tuple[Campaign, ...]],
        spoken: Mapping[str, str],
    ) -> tuple[dict[str, Status], dict[str, str]]:
        """Where the ZIP of every voice stands, and of what it is made; it waits until all its clips are settled."""
        made = data_versions(self._instance, self._folders, "delivery")
        clips_made = data_versions(self._instance, self._folders, "encoded_video")
        there = keys_like(self._folders, self._folders.delivery("any"))
        statuses, versions = {}, {}
        for voice_key, row in clips.rows.items():
            subject = Subject(Stage.DELIVERY, voice_key)
            states = {status.state for status in row.values()}
            under_way = self._under_way(subject)
            if under_way is not None or not states <= SETTLED:
                statuses[voice_key] = under_way or WAITING
            elif State.DONE not in states:
                statuses[voice_key] = NOTHING_FINISHED
            else:
                mark = self._clip_files[voice_key].mark
                spec = delivery_spec(mark, voice_key, clips, wanting, clips_made, spoken.get(voice_key))
                version = versions[voice_key] = spec.version
                compared = compare(made.get(voice_key) if voice_key in there else None, version)
                failed = self._failed.status(subject, 0.0, version) if compared is not DONE else None
                statuses[voice_key] = failed or compared
        return statuses, versions

    def _under_way(self, subject: Subject) -> Status | None:
        if subject in self._running:
            run_id = self._running[subject]
            progress = read_progress(self._folders, run_id)
            share = progress.share_of_run(subject.stage) if progress is not None else None
            return Status(State.RUNNING, run_id=run_id, share=share)
        if subject in self._queued:
            return Status(State.QUEUED, run_id=self._queued[subject])
        return QUEUED if subject in self._awaited else None
