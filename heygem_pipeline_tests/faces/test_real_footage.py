"""What holds on footage of people, where it is at hand."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from heygem_pipeline.faces.dlib_tracker import DlibTracker

from heygem_pipeline.faces.mouth_measure import measure_mouth
from heygem_pipeline.faces.tracking import complete_tracks
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.media.template import Template

pytestmark = pytest.mark.long


def tracks_of(path: Path, count: int = 75) -> FaceTracks:
    template = Template.open(path)
    followed = DlibTracker().track(islice(template.frames(), count), template.frame_rate)
    return complete_tracks(followed, template.frame_rate, (template.info.width, template.info.height))


def test_a_silent_presenter_is_seen_throughout_with_a_still_mouth(clips: Path) -> None:
    tracks = tracks_of(clips / "idle" / "dhlive_002_video.mp4")
    assert tracks.present.all() and tracks.cuts == ()
    assert np.abs(np.median(tracks.pose, axis=0)).max() < 10
    gap = measure_mouth(tracks).gap
    assert np.abs(np.diff(gap, 2)).mean() < 0.002
    assert gap.max() < 0.05


def test_a_face_that_leaves_the_frame_is_absent_from_then_on(clips: Path) -> None:
    present = tracks_of(clips / "nasty" / "derived_009_face_leaves_frame.mp4").present
    assert present[:35].all() and not present[60:].any()


@pytest.mark.parametrize("name", ["derived_010_two_faces_two_voices.mp4", "clearervoice_004_001.avi"])
def test_the_second_face_is_counted_and_not_followed(clips: Path, name: str) -> None:
    tracks = tracks_of(clips / "nasty" / name)
    assert tracks.other_faces == 1
    centres = (tracks.boxes[:, 0] + tracks.boxes[:, 2]) / 2
    assert np.abs(np.diff(centres)).max() < 40
