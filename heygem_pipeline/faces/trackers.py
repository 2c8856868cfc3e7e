"""The one place that knows every face tracker."""

from collections.abc import Callable

from heygem_pipeline.errors import UnknownChoice
from heygem_pipeline.faces.tracker import FaceTracker


def _dlib() -> FaceTracker:
    from heygem_pipeline.faces.dlib_tracker import DlibTracker

    return DlibTracker()


def _face_alignment() -> FaceTracker:
    from heygem_pipeline.faces.face_alignment_tracker import FaceAlignmentTracker

    return FaceAlignmentTracker()


TRACKERS: dict[str, Callable[[], FaceTracker]] = {"dlib": _dlib, "face_alignment": _face_alignment}


def load_tracker(name: str) -> FaceTracker:
    """Return the tracker of that name. Raises UnknownChoice."""
    if name not in TRACKERS:
        raise UnknownChoice(f"There is no face tracker called {name!r}; choose one of: {', '.join(sorted(TRACKERS))}.")
    return TRACKERS[name]()
