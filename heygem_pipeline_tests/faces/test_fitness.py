from dataclasses import replace

import numpy as np
import pytest

from heygem_pipeline.errors import BadInput, FaceLeansOver, FaceRarelySeen, FaceTooSmall, FaceTurnedAway, NoFace
from heygem_pipeline.faces.fitness import SEEN_IN_FRAMES, fitness_warnings, refuse_unfit
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.messages.message import sentences
from heygem_pipeline.settings import DEFAULTS
from heygem_pipeline_tests.faces.shapes import made_face, made_tracks

NAME = "王老师 🎬.mp4"


def tracks_with(absent: int = 0, frames: int = 20, eye_distance: float = 100) -> FaceTracks:
    faces = np.array([made_face() * eye_distance + 400] * frames)
    faces[:absent] = np.nan
    return made_tracks(faces)


def turned(tracks: FaceTracks, yaw: float, frames: int) -> FaceTracks:
    pose = np.zeros_like(tracks.pose)
    pose[:frames, 0] = yaw
    return replace(tracks, pose=pose)


def leaning(degrees: float) -> FaceTracks:
    lean = np.radians(degrees)
    turn = np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])
    return made_tracks(np.array([made_face() @ turn * 100 + 400] * 20))


def with_open_mouth(tracks: FaceTracks, frames: int, least: float = 0.1) -> FaceTracks:
    """The lower lip's inner line sinks by ``least`` to a fifth of the eye distance, by turns, in the first frames."""
    landmarks = tracks.landmarks.copy()
    eyes = landmarks[0, 42:48].mean(axis=0) - landmarks[0, 36:42].mean(axis=0)
    opened = np.where(np.arange(frames) // 10 % 2, 0.2, least) * np.linalg.norm(eyes)
    landmarks[:frames, 65:68, 1] += opened[:, None]
    return replace(tracks, landmarks=landmarks)


def test_a_smile_that_stays_as_it_is_is_no_reason_to_warn() -> None:
    assert fitness_warnings(with_open_mouth(tracks_with(frames=50), 50, least=0.2), DEFAULTS) == []


def test_a_good_presenter_passes_without_a_warning() -> None:
    tracks = tracks_with()
    refuse_unfit(tracks, NAME, DEFAULTS)
    assert fitness_warnings(tracks, DEFAULTS) == []


@pytest.mark.parametrize(
    ("tracks", "error", "number"),
    [
        (tracks_with(absent=20), NoFace, ""),
        (tracks_with(absent=15), FaceRarelySeen, "25%"),
        (tracks_with(eye_distance=10), FaceTooSmall, " pixels wide"),
        (turned(tracks_with(), 42, 15), FaceTurnedAway, "75%"),
        (turned(tracks_with(), -42, 15), FaceTurnedAway, "75%"),
    ],
)
def test_each_unfit_presenter_has_its_own_error_that_names_file_and_number(
    tracks: FaceTracks, error: type[BadInput], number: str
) -> None:
    with pytest.raises(error) as caught:
        refuse_unfit(tracks, NAME, DEFAULTS)
    sentence = str(caught.value)
    assert NAME in sentence and number in sentence
    assert sentence.endswith(".") and "\n" not in sentence


@pytest.mark.parametrize(
    ("degrees", "code"),
    [
        *((degrees, "face.on_its_side") for degrees in (-90, 90, 70, -110)),
        *((degrees, "face.upside_down") for degrees in (180, -170, 150)),
    ],
)
def test_a_camera_held_otherwise_is_told_with_the_turn_that_mends_it(degrees: float, code: str) -> None:
    with pytest.raises(FaceLeansOver) as caught:
        refuse_unfit(leaning(degrees), NAME, DEFAULTS)
    assert caught.value.code == code
    assert NAME in str(caught.value) and "turn the video by" in str(caught.value)


@pytest.mark.parametrize("degrees", [-50, -20, 20, 50])
def test_a_head_held_aslant_is_taken(degrees: float) -> None:
    refuse_unfit(leaning(degrees), NAME, DEFAULTS)


def test_a_face_in_half_of_the_frames_is_enough() -> None:
    refuse_unfit(tracks_with(absent=10), NAME, DEFAULTS)


def test_a_face_turned_away_half_of_the_time_is_taken() -> None:
    refuse_unfit(turned(tracks_with(), 42, 10), NAME, DEFAULTS)


@pytest.mark.parametrize(("frames", "opened"), [(50, 40), (50, 12), (20, 20)])
def test_an_open_mouth_that_is_closed_for_a_moment_or_seen_for_one_is_no_reason_to_warn(
    frames: int, opened: int
) -> None:
    assert fitness_warnings(with_open_mouth(tracks_with(frames=frames), opened), DEFAULTS) == []


@pytest.mark.parametrize(
    ("tracks", "code", "word"),
    [
        (replace(tracks_with(), size=(640, 480)), "picture.small", "640 x 480"),
        (replace(tracks_with(), other_faces=1), "face.one_other", "another face is"),
        (replace(tracks_with(), other_faces=3), "face.others", "3 other faces are"),
        (tracks_with(absent=7), "face.frames_without", "7 of 20 frames"),
        (replace(tracks_with(), cuts=(4,)), "picture.one_cut", "once"),
        (replace(tracks_with(), cuts=(4, 9)), "picture.cuts", "2 times"),
        (tracks_with(frames=25 * 60 * 6), "presenter.long", "6.0 minutes"),
        (with_open_mouth(tracks_with(frames=50), 49), "presenter.mouth_open", "96% of the frames"),
    ],
)
def test_a_doubtful_presenter_is_warned_about_in_one_sentence(tracks: FaceTracks, code: str, word: str) -> None:
    (warning,) = fitness_warnings(tracks, DEFAULTS)
    assert warning.code == code and word in str(warning) and str(warning).endswith(".")


def test_every_sentence_about_a_face_is_among_what_frames_show() -> None:
    assert {code for code in sentences("en") if code.startswith("face.")} == SEEN_IN_FRAMES
