"""What holds on footage of people, where it is at hand."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import FaceLeansOver
from heygem_pipeline.faces.fitness import refuse_unfit
from heygem_pipeline.faces.mesh_tracker import MeshTracker
from heygem_pipeline.faces.mouth_measure import measure_mouth
from heygem_pipeline.faces.tracking import complete_tracks
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.settings import DEFAULTS

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def cases(clips: Path) -> Path:
    """Folder of inputs that once failed, kept beside the footage."""
    folder = clips.parent / "cases"
    if not folder.is_dir():
        pytest.skip("the folder of failing inputs is not on this machine")
    return folder


def tracks_of(path: Path, count: int = 75) -> FaceTracks:
    sequence = FrameSequence.open(path)
    followed = MeshTracker().track(islice(sequence.frames(exact=False), count), sequence.frame_rate)
    return complete_tracks(followed, sequence.frame_rate, (sequence.info.width, sequence.info.height))


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


def test_a_presenter_filmed_upside_down_is_refused_with_the_turn_that_mends_it(cases: Path) -> None:
    with pytest.raises(FaceLeansOver, match=r"upside\.mp4 was filmed upside down.*half a turn"):
        refuse_unfit(tracks_of(cases / "upside.mp4"), "upside.mp4", DEFAULTS)


@pytest.mark.parametrize(("name", "left", "right"), [("poster.mp4", 0, 430), ("two_people_one_frontal.mp4", 640, 1280)])
def test_of_two_faces_the_one_that_can_speak_is_followed_throughout(
    cases: Path, name: str, left: int, right: int
) -> None:
    """poster: the smaller one lives, the larger is a portrait on the wall; two people: one looks aside."""
    tracks = tracks_of(cases / name)
    refuse_unfit(tracks, name, DEFAULTS)
    assert tracks.present.all() and tracks.cuts == () and tracks.other_faces == 1
    assert left < tracks.boxes[:, 0].min() and tracks.boxes[:, 2].max() < right


@pytest.mark.parametrize(
    "name", ["idle/liveportrait_017_s32.mp4", "talking/latentsync_002_demo1_video.mp4", "peers/cross_4/input.mp4"]
)
def test_a_presenter_alone_is_not_told_of_others(clips: Path, name: str) -> None:
    tracks = tracks_of(clips / name, 51)
    assert tracks.present.all() and tracks.other_faces == 0
