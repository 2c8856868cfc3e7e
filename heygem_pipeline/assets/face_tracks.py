"""Asset ``face_tracks``: what is computed once a presenter."""

from collections.abc import Iterator

import dagster as dg
import numpy as np

from heygem_pipeline.assets.step_progress import ProgressDisplay, StepProgress
from heygem_pipeline.assets.step_retries import fail_or_retry
from heygem_pipeline.clip.presenter import Presenter, open_presenter, track_presenter
from heygem_pipeline.faces.fitness import face_share, face_width, fitness_warnings
from heygem_pipeline.messages.message import legible
from heygem_pipeline.runs.partitions import presenter_partitions
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import data_folders
from heygem_pipeline.storage.version_strings import presenter_version
from heygem_pipeline.uploads.registry import UploadKind, Uploads


@dg.asset(
    partitions_def=presenter_partitions,
    io_manager_key="presenters",
    group_name="talking_heads",
    kinds={"parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "template_is_fit",
            asset="face_tracks",
            partitions_def=presenter_partitions,
            description="Warns where the video is small, long or cut, or frames show no face or several.",
        )
    ],
)
def face_tracks(
    context: dg.AssetExecutionContext, display: dg.ResourceParam[ProgressDisplay]
) -> Iterator[dg.Output[Presenter] | dg.AssetCheckResult]:
    """Box, 68 landmarks, pose and head frame of the followed face, a row a frame."""
    chosen, folders = settings(), data_folders()
    with fail_or_retry():
        sequence = open_presenter(Uploads(folders).bring(UploadKind.PRESENTER, context.partition_key), chosen)
        with StepProgress(context, display, sequence.info.frame_count) as progress:
            presenter = track_presenter(sequence.info.path, progress, sequence, chosen)
    tracks = presenter.tracks
    metadata = {
        "upload": legible(presenter.path.name),
        "frames": len(tracks),
        "frame rate": str(tracks.frame_rate),
        "resolution": "{} x {}".format(*tracks.size),
        "seconds": round(float(sequence.info.duration), 3),
        "face share": round(face_share(tracks), 4),
        "face width (pixels)": round(face_width(tracks)),
        "median turn (degrees)": round(float(np.nanmedian(np.abs(tracks.pose[:, 0]))), 1),
        "tracker": presenter.tracker,
        "fingerprint": presenter.fingerprint,
        "path": dg.MetadataValue.path(folders.files.address(folders.tracks(context.partition_key))),
        "speed (frames/s)": round(len(tracks) / presenter.seconds, 1),
    }
    version = dg.DataVersion(presenter_version(presenter.fingerprint, presenter.tracker))
    yield dg.Output(presenter, metadata=metadata, data_version=version)
    warnings = fitness_warnings(tracks, chosen) + (presenter.motion.hints if presenter.motion is not None else [])
    yield dg.AssetCheckResult(
        passed=not warnings,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(map(str, warnings)) or "A good presenter.",
        check_name="template_is_fit",
    )
