"""The stages in which everything is planned and run, and which run belongs to which."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

import dagster as dg

from heygem_pipeline.runs.dagster_internals import PARTITION_NAME_TAG
from heygem_pipeline.storage.clip_key import ClipKey


class Stage(StrEnum):
    """What is made by one run: a voice's features, a presenter's tracks, a clip, a ZIP. The values are for people.

    A voice that is brought as a script is spoken in the run that analyses it.
    """

    VOICE = "voice"
    PRESENTER = "presenter"
    CLIP = "clip"
    DELIVERY = "delivery"

    __hash__ = str.__hash__  # an enumeration's own is Python's, and thousands of subjects are looked up


@dataclass(frozen=True)
class Subject:
    """What a run works on: a stage and its partition key."""

    stage: Stage
    key: str

    @classmethod
    def of_clip(cls, clip: ClipKey) -> "Subject":
        """The making of a clip."""
        return cls(Stage.CLIP, clip.partition)

    @property
    def clip(self) -> ClipKey:
        """The clip, where the stage is CLIP."""
        return ClipKey.from_partition(self.key)


STAGE_OF_ASSET = {
    "spoken_script": Stage.VOICE,
    "audio_features": Stage.VOICE,
    "face_tracks": Stage.PRESENTER,
    "generated_frames": Stage.CLIP,
    "encoded_video": Stage.CLIP,
    "delivery": Stage.DELIVERY,
}

JOB_OF_STAGE = {
    Stage.VOICE: "analyse_voice",
    Stage.PRESENTER: "track_presenter",
    Stage.CLIP: "make_clip",
    Stage.DELIVERY: "deliver",
}
"""Names of the jobs, as the page shows them in its list of runs."""

PREVIEW_JOB, PREVIEW_STEP = "make_preview", "draw_preview"
"""Belongs to no stage: what it makes is no clip."""

PREVIEW_TAG = "heygem/preview"
"""Of its runs: the partition key of the clip of which they show some seconds."""

STAGE_OF_JOB = {job: stage for stage, job in JOB_OF_STAGE.items()}


def step_name(step_key: str) -> str:
    """A step's own name, without that of the graph it belongs to: ``encoded_video`` of ``clip.encoded_video``."""
    return step_key.rpartition(".")[2]


def subject_of(run: dg.DagsterRun) -> Subject | None:
    """What a run works on, however it was launched; None for another kind of run, or one of many partitions."""
    return subject_said(run.job_name, [asset.to_user_string() for asset in run.asset_selection or ()], run.tags)


def subject_said(job: str, assets: Collection[str], tags: Mapping[str, str]) -> Subject | None:
    """What a run works on of which this much is known.

    Args:
        assets: the selected ones; none where the job says which.
    """
    key = tags.get(PARTITION_NAME_TAG)
    if key is None:
        return None
    stages = {STAGE_OF_ASSET[name] for name in assets if name in STAGE_OF_ASSET}
    if not assets and job in STAGE_OF_JOB:
        stages = {STAGE_OF_JOB[job]}
    return Subject(stages.pop(), key) if len(stages) == 1 else None
