from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from heygem_pipeline.demo import presenters
from heygem_pipeline.demo.eyelids import close_eyes
from heygem_pipeline.demo.layers import FRAME_SIZE
from heygem_pipeline.demo.motion import calm_motion
from heygem_pipeline.demo.portraits import ASTRONAUT, GRACE_HOPPER, Portrait
from heygem_pipeline.demo.presenters import make_presenters, presenter_frames
from heygem_pipeline.faces.mesh_detection import detect_faces
from heygem_pipeline.faces.mesh_networks import MeshNetworks


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_presenters(tmp_path_factory.mktemp("presenters"))


def every_tenth_frame(clip: Path) -> list[NDArray[np.uint8]]:
    with av.open(clip) as container:
        return [
            frame.to_ndarray(format="bgr24").astype(np.uint8)
            for index, frame in enumerate(container.decode(video=0))
            if index % 10 == 0
        ]


@pytest.mark.long
def test_both_presenters_are_made_under_their_names(clips: list[Path]) -> None:
    assert [clip.name for clip in clips] == ["grace-hopper.mp4", "astronaut.mp4"]
    assert sorted(clips) == sorted(clips[0].parent.iterdir())


@pytest.mark.long
def test_a_presenter_is_eight_silent_seconds_of_720p(clips: list[Path]) -> None:
    for clip in clips:
        with av.open(clip) as container:
            video = container.streams.video[0]
            assert (video.codec_context.name, video.width, video.height) == ("h264", 1280, 720)
            assert (video.frames, video.average_rate) == (200, 25)
            assert not container.streams.audio


@pytest.mark.long
def test_one_large_face_is_seen_throughout(clips: list[Path]) -> None:
    networks = MeshNetworks()
    for clip in clips:
        for frame in every_tenth_frame(clip):
            (face,) = detect_faces(networks, frame)
            assert face.box.width > 200


@pytest.mark.long
def test_the_head_moves_before_a_still_backdrop(clips: list[Path]) -> None:
    for clip in clips:
        frames = np.stack([frame[:300] for frame in every_tenth_frame(clip)]).astype(np.float32)
        travel = np.ptp(frames, axis=0).max(axis=-1)
        assert np.percentile(travel[:, -100:], 99) < 10
        assert np.percentile(travel[:, 480:700], 75) > 30


def test_the_motion_neither_jumps_nor_jolts_when_the_clip_comes_round() -> None:
    motion = asdict(calm_motion(frame_count=200, frame_rate=25))
    for name, values in motion.items():
        steps = np.abs(np.diff(values))
        assert steps.max() > 0, name
        assert abs(values[-1] - values[0]) <= 0.2 * steps.max(), name
        assert steps[0] <= 0.2 * steps.max(), name


def test_the_head_turns_by_a_few_degrees_only() -> None:
    motion = calm_motion(frame_count=200, frame_rate=25)
    for angle in (motion.yaw, motion.pitch, motion.roll):
        assert 1 < np.ptp(angle) < 8


def test_the_frames_are_the_same_on_every_run() -> None:
    for first, second in zip(first_frames(ASTRONAUT), first_frames(ASTRONAUT), strict=True):
        np.testing.assert_array_equal(first, second)


def first_frames(portrait: Portrait) -> list[NDArray[np.uint8]]:
    frames = presenter_frames(portrait)
    return [next(frames) for _ in range(2)]


def test_a_blink_changes_the_eyes_and_nothing_else() -> None:
    width, height = FRAME_SIZE
    person = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
    changed = np.argwhere((close_eyes(person, ASTRONAUT, 1.0) != person).any(axis=-1))
    top, left = changed.min(axis=0)
    bottom, right = changed.max(axis=0)
    assert 90 * ASTRONAUT.scale < top < bottom < 112 * ASTRONAUT.scale
    assert 190 * ASTRONAUT.scale < left < right < 262 * ASTRONAUT.scale
    assert close_eyes(person, ASTRONAUT, 0.0) is person
    assert close_eyes(person, GRACE_HOPPER, 1.0) is person


def test_nothing_is_left_behind_when_the_work_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(portrait: Portrait) -> Iterator[NDArray[np.uint8]]:
        yield np.zeros((720, 1280, 3), np.uint8)
        raise KeyboardInterrupt

    monkeypatch.setattr(presenters, "presenter_frames", cut_off)
    with pytest.raises(KeyboardInterrupt):
        make_presenters(tmp_path)
    assert list(tmp_path.iterdir()) == []
