from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from heygem_pipeline.errors import FaceTooSmall, NoFace, UnknownChoice
from heygem_pipeline.faces.head_frame import transform_points
from heygem_pipeline.faces.mouth_measure import measure_mouth
from heygem_pipeline.faces.tracker import FollowedFace
from heygem_pipeline.faces.tracker_registry import load_tracker
from heygem_pipeline.faces.tracking import complete_tracks, track_faces
from heygem_pipeline.faces.tracks import FaceState
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline_tests.faces.shapes import made_face

Slide = Callable[[Iterable[float]], Iterator[np.ndarray]]


def write_clip(path: Path, frames: Iterable[np.ndarray], rate: int = 25) -> FrameSequence:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "12", "preset": "ultrafast"})
        for count, frame in enumerate(frames):
            if count == 0:
                stream.height, stream.width = frame.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "bgr24")))
        container.mux(stream.encode(None))
    return FrameSequence.open(path)


def followed(landmarks: np.ndarray, cuts: tuple[int, ...] = ()) -> FollowedFace:
    seen = np.isfinite(landmarks[:, 0, 0])
    boxes = np.where(seen[:, None], [300.0, 300.0, 500.0, 500.0], np.nan).astype(np.float32)
    score = np.where(seen, 1, np.nan).astype(np.float32)
    return FollowedFace(boxes, landmarks.astype(np.float32), score, cuts, 0)


def test_a_clip_is_tracked_whole(tmp_path: Path, slide: Slide) -> None:
    sequence = write_clip(tmp_path / "presenter.mp4", slide(40 + 20 * np.sin(np.arange(30) / 5)))
    counts: list[int] = []
    tracks = track_faces(sequence, progress=counts.append)
    assert len(tracks) == 30 and tracks.present.all() and tracks.size == (480, 400)
    assert tracks.frame_rate == 25
    assert counts[-1] == 30
    eyes = transform_points(tracks.head, tracks.landmarks)[:, [39, 42]].mean(axis=1)
    assert np.abs(eyes).max() < 0.06
    assert np.ptp(measure_mouth(tracks).gap) < 0.05


def test_a_still_picture_has_one_tracked_frame(tmp_path: Path, hopper: np.ndarray) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "hopper.png"), hopper)
    tracks = track_faces(FrameSequence.open(tmp_path / "hopper.png"))
    assert tracks.state.tolist() == [FaceState.FOUND]
    np.testing.assert_array_equal(tracks.head, tracks.raw_head)
    assert np.isfinite(measure_mouth(tracks).gap).all()


def test_a_clip_without_a_face_is_refused_by_name(tmp_path: Path) -> None:
    slides = [np.full((240, 320, 3), shade, np.uint8) for shade in range(0, 200, 20)]
    with pytest.raises(NoFace, match="Folien 第一课"):
        track_faces(write_clip(tmp_path / "Folien 第一课.mp4", slides))


def test_a_small_face_is_refused(tmp_path: Path, hopper: np.ndarray, placed: Callable[..., np.ndarray]) -> None:
    sequence = write_clip(tmp_path / "far.mp4", [placed((160, 160), (hopper, 20, 10, 0.24))] * 5)
    with pytest.raises(FaceTooSmall):
        track_faces(sequence)


def test_a_short_gap_is_filled_and_a_long_one_is_not() -> None:
    landmarks = np.array([made_face() * 100 + 400] * 40)
    landmarks[5:10] = np.nan
    landmarks[20:26] = np.nan
    tracks = complete_tracks(followed(landmarks), Fraction(25), (1280, 720))
    assert (tracks.state[5:10] == FaceState.FILLED).all()
    assert (tracks.state[20:26] == FaceState.ABSENT).all()
    assert np.isfinite(tracks.head[tracks.present]).all()
    for values in (tracks.landmarks, tracks.boxes, tracks.head, tracks.raw_head, tracks.pose, tracks.score):
        assert np.isnan(values[~tracks.present]).all()


def test_nothing_is_smoothed_or_filled_across_a_cut() -> None:
    landmarks = np.array([made_face() * 100 + 400] * 20 + [made_face() * 60 + 700] * 20)
    whole = complete_tracks(followed(landmarks, cuts=(20,)), Fraction(25), (1280, 720))
    np.testing.assert_allclose(whole.head, whole.raw_head, atol=1e-9)
    landmarks[18:20] = np.nan
    assert not complete_tracks(followed(landmarks, cuts=(20,)), Fraction(25), (1280, 720)).present[18:20].any()


def test_a_clip_in_which_no_frame_has_a_face_gives_absent_rows() -> None:
    tracks = complete_tracks(followed(np.full((5, 68, 2), np.nan)), Fraction(25), (640, 480))
    assert not tracks.present.any()
    assert np.isnan(tracks.reference).all()


def test_an_unknown_tracker_lists_the_known_ones() -> None:
    with pytest.raises(UnknownChoice, match=r"magic.*choose one of: mesh, face_alignment"):
        load_tracker("magic")
