"""A data folder with a real instance, in which what was made is made up."""

from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus
from dagster._core.remote_origin import RemoteJobOrigin

from heygem_pipeline.assets.graph import graph_definitions
from heygem_pipeline.clip.presenter import current_tracker
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.planning import planner
from heygem_pipeline.planning.plan import Plan
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.quality.report import settings_of_report
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.runs.stages import Stage, Subject
from heygem_pipeline.settings import settings
from heygem_pipeline.speech.analysis import ANALYSIS_VERSION
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.storage.version_strings import clip_version, presenter_version, rendering_version, voice_version
from heygem_pipeline.uploads.registry import UploadKind, Uploads

VOICE, PRESENTER, CLIP = ["audio_features"], ["face_tracks"], ["generated_frames", "encoded_video"]
DELIVERY = ["delivery"]


class House:
    """Two voices and two presenters; what was made of them is made up, the records of it are real."""

    def __init__(self, folders: DataFolders, instance: dg.DagsterInstance) -> None:
        self.folders = folders
        self.instance = instance
        self.job = graph_definitions().resolve_implicit_global_asset_job_def()
        for name in ("one", "two"):
            self.replace(name, f"voice {name}")
            (folders.presenters / f"{name}.mp4").write_bytes(f"presenter {name}".encode())
        self.take_in()

    def take_in(self) -> None:
        take_in_uploads(self.instance, self.folders)

    def replace(self, voice: str, content: str) -> None:
        (self.folders.voices / f"{voice}.wav").write_bytes(content.encode())
        Uploads(self.folders).take_in(UploadKind.VOICE)

    def plan(self) -> Plan:
        return plan(self.instance, self.folders, settings())

    def clip(self, voice: str = "one", presenter: str = "one") -> planner.Status:
        return self.plan().clips[ClipKey(voice, presenter)]

    def make_inputs(self) -> None:
        uploads = Uploads(self.folders)
        for key, upload in uploads.known(UploadKind.VOICE).items():
            version = voice_version(upload.fingerprint, ANALYSIS_VERSION)
            self._made("audio_features", key, version, self.folders.voice(key))
        for key, upload in uploads.known(UploadKind.PRESENTER).items():
            version = presenter_version(upload.fingerprint, current_tracker(settings()))
            self._made("face_tracks", key, version, self.folders.tracks(key))

    def make_clip(self, voice: str = "one", presenter: str = "one") -> None:
        uploads, engine = Uploads(self.folders), load_engine("warp")
        version = clip_version(
            uploads.known(UploadKind.VOICE)[voice].fingerprint,
            uploads.known(UploadKind.PRESENTER)[presenter].fingerprint,
            rendering_version(
                current_tracker(settings()), f"{engine.name} {engine.version}", settings_of_report(settings())
            ),
        )
        clip = ClipKey(voice, presenter)
        self._made("encoded_video", clip.partition, version, self.folders.clip(clip), self.folders.report(clip))

    def make_delivery(self, voice: str = "one") -> None:
        version = self.plan().inputs_digest(Subject(Stage.DELIVERY, voice))
        self._made("delivery", voice, version, self.folders.delivery(voice))

    def _made(self, asset: str, key: str, version: str, *files: Path) -> None:
        for file in files:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
            self.folders.files.publish(file)
        self.instance.report_runless_asset_event(
            dg.AssetMaterialization(asset, partition=key, tags={"dagster/data_version": version})
        )

    def run(
        self,
        assets: list[str],
        key: str,
        status: DagsterRunStatus,
        tags: dict[str, str] | None = None,
        origin: RemoteJobOrigin | None = None,
    ) -> str:
        """Record a run as the page or a backfill asks for it."""
        return self.instance.create_run_for_job(
            self.job,
            status=status,
            remote_job_origin=origin,
            tags={"dagster/partition": key} | (tags or {}),
            asset_selection=frozenset(map(dg.AssetKey, assets)),
        ).run_id
