"""The one place that knows every face tracker."""

from collections.abc import Callable

from heygem_pipeline.errors import UnknownChoice
from heygem_pipeline.faces.tracker import FaceTracker
from heygem_pipeline.settings import DEFAULTS, NetworkSettings


def _mesh(_networks: NetworkSettings) -> FaceTracker:
    from heygem_pipeline.faces.mesh_tracker import MeshTracker

    return MeshTracker()


def _face_alignment(networks: NetworkSettings) -> FaceTracker:
    from heygem_pipeline.faces.face_alignment_tracker import FaceAlignmentTracker

    return FaceAlignmentTracker(networks)


TRACKERS: dict[str, Callable[[NetworkSettings], FaceTracker]] = {"mesh": _mesh, "face_alignment": _face_alignment}


def load_tracker(name: str, networks: NetworkSettings = DEFAULTS) -> FaceTracker:
    """Return the tracker of that name. Raises UnknownChoice."""
    if name not in TRACKERS:
        raise UnknownChoice("tracker.unknown", name=name, known=", ".join(TRACKERS))
    return TRACKERS[name](networks)
