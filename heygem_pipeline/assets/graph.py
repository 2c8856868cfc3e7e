"""The whole graph: its assets, where their values lie, and how steps run."""

import dagster as dg

from heygem_pipeline.assets.audio_features import audio_features
from heygem_pipeline.assets.delivery import delivery
from heygem_pipeline.assets.encoded_video import encoded_video
from heygem_pipeline.assets.face_tracks import face_tracks
from heygem_pipeline.assets.generated_frames import generated_frames
from heygem_pipeline.assets.io_managers import IO_MANAGERS
from heygem_pipeline.assets.progress import NoDisplay, ProgressDisplay
from heygem_pipeline.assets.specifications import DefaultSpecifications, SpecificationSource

ASSETS = [audio_features, face_tracks, generated_frames, encoded_video, delivery]


def graph_definitions(
    display: ProgressDisplay | None = None, specifications: SpecificationSource | None = None
) -> dg.Definitions:
    """The graph, with a display of progress where somebody watches, and with orders where there are some.

    Steps run inside the run's own process: when it is killed, nothing goes on holding the GPU, and a clip costs one
    process instead of three.
    """
    resources = {
        **IO_MANAGERS,
        "display": display or NoDisplay(),
        "specifications": specifications or DefaultSpecifications(),
    }
    return dg.Definitions(assets=ASSETS, resources=resources, executor=dg.in_process_executor)
