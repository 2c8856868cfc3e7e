"""What every lip-sync engine promises about whole clips, whatever it draws."""

import weakref
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest

from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.media.timeline import ping_pong
from heygem_pipeline.settings import EngineSettings
from heygem_pipeline.speech.features import FEATURE_RATE, SpeechFeatures
from heygem_pipeline_tests.lipsync.warp.presenter import Picture, Presenter, Watched, laid
from heygem_pipeline_tests.speech.conftest import made_features

RATE = Fraction(25)


def spoken(frames: int, silent_from: int | None = None) -> SpeechFeatures:
    """Speech of so many frames, with silence from one on."""
    activity = np.ones(int(frames / RATE * FEATURE_RATE) + 1)
    if silent_from is not None:
        activity[int(silent_from / RATE * FEATURE_RATE) :] = 0
    return replace(made_features(activity), duration=frames / RATE)


def made(engine: LipSyncEngine, presenter: Presenter, speech: SpeechFeatures) -> list[MouthPatch]:
    return list(engine.generate(speech, presenter.template, presenter.tracks))


def are_all_untouched(patches: list[MouthPatch]) -> bool:
    return all(patch.pixels is None for patch in patches)


def test_it_is_known_by_its_name(engine: LipSyncEngine, engine_settings: EngineSettings) -> None:
    assert type(load_engine(engine.name, engine_settings)) is type(engine)
    assert load_engine(engine.name, engine_settings).version == engine.version != ""


def test_there_is_a_patch_for_every_output_frame_and_the_template_plays_back_and_forth(
    engine: LipSyncEngine, closed_lips: Presenter
) -> None:
    count = 2 * len(closed_lips.pictures) + 2
    patches = made(engine, closed_lips, spoken(count))
    assert [patch.output_frame for patch in patches] == list(range(count))
    assert [patch.template_frame for patch in patches] == [
        ping_pong(i, len(closed_lips.pictures)) for i in range(count)
    ]
    assert all(patch.pixels is not None for patch in patches)


def test_it_says_where_it_drew(engine: LipSyncEngine, closed_lips: Presenter) -> None:
    made(engine, closed_lips, spoken(1))
    assert engine.device.startswith("cpu")


def test_a_clip_of_one_frame_is_made(engine: LipSyncEngine, closed_lips: Presenter) -> None:
    assert [patch.output_frame for patch in made(engine, closed_lips, spoken(1))] == [0]


def test_silence_returns_shut_lips_bit_for_bit(engine: LipSyncEngine, closed_lips: Presenter) -> None:
    assert are_all_untouched(made(engine, closed_lips, spoken(20, silent_from=0)))
    patches = made(engine, closed_lips, spoken(45, silent_from=8))
    assert not are_all_untouched(patches) and are_all_untouched(patches[-25:])


def test_the_same_input_gives_the_same_patches(engine: LipSyncEngine, closed_lips: Presenter) -> None:
    once, again = (made(engine, closed_lips, spoken(14)) for _ in range(2))
    for one, other in zip(once, again, strict=True):
        assert (one.left, one.top, one.own_mouth) == (other.left, other.top, other.own_mouth)
        np.testing.assert_array_equal(one.pixels, other.pixels)


def test_the_template_turns_back_without_a_jump(engine: LipSyncEngine, closed_lips: Presenter) -> None:
    count = len(closed_lips.pictures)
    patches = made(engine, closed_lips, spoken(2 * count))
    finished = [laid(patch, closed_lips.pictures[patch.template_frame]).astype(int) for patch in patches]
    steps = [np.abs(later - now).mean() for now, later in pairwise(finished)]
    assert max(steps[count - 2], steps[count - 1]) <= 1.5 * max(steps[: count - 2])


def test_nothing_above_the_nose_changes(engine: LipSyncEngine, closed_lips: Presenter) -> None:
    for patch in made(engine, closed_lips, spoken(6)):
        picture = closed_lips.pictures[patch.template_frame]
        eyes = int(closed_lips.tracks.landmarks[patch.template_frame, 36:48, 1].max())
        np.testing.assert_array_equal(laid(patch, picture)[:eyes], picture[:eyes])


def test_frames_without_a_face_pass_through_and_the_timing_stays(engine: LipSyncEngine, closed_lips: Presenter) -> None:
    patches = made(engine, closed_lips.without_face(0, 1, 6), spoken(16))
    assert [patch.output_frame for patch in patches] == list(range(16))
    assert are_all_untouched([patch for patch in patches if patch.template_frame in (0, 1, 6)])
    assert patches[4].pixels is not None


def test_a_face_seen_only_now_and_then_makes_a_clip(engine: LipSyncEngine, closed_lips: Presenter) -> None:
    seen_rarely = closed_lips.without_face(0, 2, 3, 5, 6, 7, 9, 11)
    assert len(made(engine, seen_rarely, spoken(24))) == 24


def test_a_clip_without_any_face_passes_through(engine: LipSyncEngine, closed_lips: Presenter) -> None:
    nobody = closed_lips.without_face(*range(len(closed_lips.pictures)))
    patches = made(engine, nobody, spoken(15))
    assert len(patches) == 15 and are_all_untouched(patches)


def test_a_still_picture_speaks(engine: LipSyncEngine, closed_lips: Presenter) -> None:
    tracks, first = closed_lips.tracks, slice(0, 1)
    still = replace(
        tracks,
        state=tracks.state[first],
        boxes=tracks.boxes[first],
        landmarks=tracks.landmarks[first],
        lips=tracks.lips[first],
        blendshapes=tracks.blendshapes[first],
        head=tracks.head[first],
        raw_head=tracks.raw_head[first],
        pose=tracks.pose[first],
        score=tracks.score[first],
    )
    patches = made(engine, Presenter(closed_lips.pictures[:1], still), spoken(8))
    assert [patch.template_frame for patch in patches] == [0] * 8
    assert all(patch.pixels is not None for patch in patches)


@pytest.mark.parametrize(
    ("right", "down"), [(-260, 0), (260, 0), (0, 330), (0, -230), (-250, 320), (2000, 0), (0, -2000), (0, 480)]
)
def test_a_face_at_the_edge_of_the_frame_stays_within_it(
    engine: LipSyncEngine, closed_lips: Presenter, right: int, down: int
) -> None:
    shown = closed_lips.moved(right, down)
    width, height = shown.tracks.size
    for patch in made(engine, shown, spoken(3)):
        if patch.pixels is not None:
            assert patch.left >= 0 and patch.top >= 0
            assert patch.left + patch.pixels.shape[1] <= width
            assert patch.top + patch.pixels.shape[0] <= height


def test_few_frames_are_held_however_long_the_clip(engine: LipSyncEngine, closed_lips: Presenter) -> None:
    alive: list[weakref.ref[Picture]] = []
    shown, most = Watched(closed_lips.pictures, closed_lips.tracks, alive), 0
    for _ in engine.generate(spoken(40), shown.template, shown.tracks):
        most = max(most, sum(reference() is not None for reference in alive))
    assert len(alive) == 40
    assert most <= 15  # 0.3 s on both sides, and four decoded ahead
