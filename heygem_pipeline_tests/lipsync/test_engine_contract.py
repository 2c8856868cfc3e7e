"""What every lip-sync engine promises about whole clips, and that a broken promise is seen."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import heygem_pipeline
from heygem_pipeline.faces.tracks import FaceTracks
from heygem_pipeline.lipsync.contract.material import HeldPresenter, Material
from heygem_pipeline.lipsync.contract.promises import PROMISES, BrokenPromise, Promise
from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch
from heygem_pipeline.media.frame_sequence import FrameSequence
from heygem_pipeline.settings import DEFAULTS, EngineSettings
from heygem_pipeline.speech.features import SpeechFeatures

EXAMPLE = Path(heygem_pipeline.__file__).parents[1] / "docs" / "examples" / "painted_mouth"


@pytest.fixture(scope="package")
def material(
    closed_lips: HeldPresenter, engine_settings: EngineSettings, tmp_path_factory: pytest.TempPathFactory
) -> Material:
    return Material(closed_lips, tmp_path_factory.mktemp("voices"), engine_settings)


def sentence_of(promise: Promise) -> str:
    return promise.sentence.replace(" ", "_").replace(",", "")


@pytest.mark.parametrize("promise", PROMISES, ids=sentence_of)
def test_every_engine_keeps_its_promise(promise: Promise, engine: LipSyncEngine, material: Material) -> None:
    promise.keep(engine, material)


def test_ours_draw_on_the_processor_where_they_are_told_to(engine: LipSyncEngine, material: Material) -> None:
    list(engine.generate(material.voice(1), material.presenter.sequence, material.presenter.tracks))
    assert engine.device.startswith("cpu")


class Painted:
    """The example's engine, to which something is done wrong."""

    name, version, device = "painted", "1", "cpu"

    def __init__(self, wrong: Callable[[MouthPatch, Any], MouthPatch | None] = lambda patch, frame: patch) -> None:
        sys.path.insert(0, str(EXAMPLE))
        try:
            import painted_mouth  # pyright: ignore[reportMissingImports]
        finally:
            sys.path.remove(str(EXAMPLE))
        self._engine, self._wrong, self.kept = painted_mouth.PaintedMouth(DEFAULTS), wrong, []

    def generate(
        self,
        speech: SpeechFeatures,
        sequence: FrameSequence,
        tracks: FaceTracks,
        presenter_speech: SpeechFeatures | None = None,
    ) -> Iterator[MouthPatch]:
        frames = sequence.presentation(speech.frame_count(tracks.frame_rate))
        for patch, (_, frame) in zip(self._engine.generate(speech, sequence, tracks), frames, strict=True):
            if (changed := self._wrong(patch, frame)) is not None:
                yield changed


def keeps_frames() -> Callable[[MouthPatch, Any], MouthPatch]:
    held = []
    return lambda patch, frame: held.append(frame) or patch


def draws_noise() -> Callable[[MouthPatch, Any], MouthPatch]:
    random = np.random.default_rng(1)

    def draw(patch: MouthPatch, _frame: Any) -> MouthPatch:
        if patch.pixels is None:
            return patch
        return replace(patch, pixels=(patch.pixels // 2 + random.integers(0, 9, patch.pixels.shape)).astype(np.uint8))

    return draw


def never_rests(patch: MouthPatch, frame: Any) -> MouthPatch:
    return replace(patch, pixels=patch.pixels if patch.pixels is not None else frame[:8, :8], left=patch.left)


WRONG = {
    "skips a frame": (lambda patch, _: None if patch.output_frame == 3 else patch, "a patch for every output frame"),
    "shows another frame": (lambda patch, _: replace(patch, presenter_frame=0), "plays back and forth"),
    "draws in silence": (never_rests, "silence returns shut lips"),
    "draws without a face": (never_rests, "frames without a face pass"),
    "draws nobody's face": (never_rests, "without any face"),
    "draws noise": (draws_noise(), "same input gives the same"),
    "draws on the forehead": (
        lambda patch, frame: replace(patch, left=0, top=0, pixels=255 - frame[:40]),
        "nothing above the nose",
    ),
    "draws outside": (lambda patch, _: replace(patch, left=patch.left + 700), "stays within it"),
    "draws floats": (
        lambda patch, _: patch if patch.pixels is None else replace(patch, pixels=patch.pixels.astype(float)),
        "pixels are uint8",
    ),
    "keeps all frames": (keeps_frames(), "few frames are held"),
    "draws nothing": (lambda patch, _: replace(patch, pixels=None), "a still picture speaks"),
    "jumps": (
        lambda patch, frame: replace(
            patch, left=0, top=300, pixels=frame[300:] // (2 if patch.output_frame > 11 else 1)
        ),
        "turns back without a jump",
    ),
    "ends at once": (lambda patch, _: None, "a clip of one frame"),
    "tires": (lambda patch, _: None if patch.output_frame > 20 else patch, "only now and then"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_broken_promise_is_seen(wrong: str, material: Material) -> None:
    done, about = WRONG[wrong]
    (promise,) = [one for one in PROMISES if about in one.sentence]
    with pytest.raises(BrokenPromise):
        promise.keep(Painted(done), material)


def test_an_engine_that_says_nothing_of_its_device_or_version_is_seen(material: Material) -> None:
    engine = Painted()
    engine.device = ""
    with pytest.raises(BrokenPromise):
        next(one for one in PROMISES if "where it drew" in one.sentence).keep(engine, material)


def test_an_engine_of_another_package_keeps_them_too(material: Material) -> None:
    for promise in PROMISES:
        if "found by its name" not in promise.sentence:
            promise.keep(Painted(), material)
