"""What the engine promises about whole clips. Weights made by rule draw noise: nothing here judges how lips look."""

import json
import threading
import weakref
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from heygem_pipeline.cli.main import app
from heygem_pipeline.errors import CheckpointUnusable, LicenceNotAcknowledged, ModelMissing
from heygem_pipeline.lipsync.contract.material import HeldPresenter, Picture, laid, made_features
from heygem_pipeline.lipsync.contract.promises import Watched
from heygem_pipeline.lipsync.engine import LipSyncEngine, MouthPatch
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.lipsync.wav2lip.engine import Wav2LipEngine
from heygem_pipeline.lipsync.wav2lip.network.inference import FaceGenerator
from heygem_pipeline.lipsync.wav2lip.network.model import Wav2LipNetwork
from heygem_pipeline.settings import EngineSettings, settings
from heygem_pipeline.speech.features import SpeechFeatures
from heygem_pipeline_tests.conftest import swaying_presenter, write_video, write_voice
from heygem_pipeline_tests.lipsync.lower_face.painted_faces import open_mouthed
from heygem_pipeline_tests.lipsync.wav2lip.stand_in import StandInGenerator

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _settings_of_each_test() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def spoken(frames: int, rate: Fraction = Fraction(25), silent_from: int | None = None) -> SpeechFeatures:
    """Speech of so many frames, with silence from one on."""
    activity = np.ones(int(frames / rate * 80) + 1)
    if silent_from is not None:
        activity[int(silent_from / rate * 80) :] = 0
    speech = made_features(activity)
    return replace(speech, duration=frames / rate)


def made(
    presenter: HeldPresenter, speech: SpeechFeatures, generator: StandInGenerator | None = None
) -> list[MouthPatch]:
    engine = Wav2LipEngine((generator or StandInGenerator(open_mouthed)).generator)
    return list(engine.generate(speech, presenter.sequence, presenter.tracks))


def test_the_last_frame_is_drawn_and_hears_the_tail(closed_lips: HeldPresenter) -> None:
    generator = StandInGenerator(open_mouthed)
    speech = spoken(11)
    assert made(closed_lips, speech, generator)[-1].pixels is not None
    assert len(generator.asked) == 11
    heard, last = generator.asked[-1].mel, speech.log_mel[-1]
    assert np.abs(heard - last).max(axis=1).min() < 1e-5


@pytest.mark.parametrize("lead", [0.0, 0.12, -0.04])
def test_the_lead_is_a_setting(closed_lips: HeldPresenter, lead: float) -> None:
    generator, speech = StandInGenerator(open_mouthed), spoken(30)
    engine = Wav2LipEngine(generator.generator, EngineSettings(wav2lip_lead_seconds=lead))
    list(engine.generate(speech, closed_lips.sequence, closed_lips.tracks))
    assert f"lead {lead:g}" in engine.version
    first = int(15 / 25 * 80 - lead * 80)
    np.testing.assert_allclose(generator.asked[15].mel, speech.log_mel[first : first + 16], atol=1e-6)


def test_silence_over_shut_lips_asks_nothing_of_the_network(closed_lips: HeldPresenter) -> None:
    generator = StandInGenerator(open_mouthed)
    made(closed_lips, spoken(60, silent_from=25), generator)
    assert len(generator.asked) < 36


def test_in_silence_a_mouth_that_stands_open_is_drawn_from_silence(smile: HeldPresenter) -> None:
    generator = StandInGenerator(open_mouthed)
    patches = made(smile, spoken(60, silent_from=25), generator)
    assert all(patch.pixels is not None for patch in patches)
    assert all((asked.mel == -4).all() for asked in generator.asked[-20:])


def test_the_mouth_fades_into_silence_without_a_jump(closed_lips: HeldPresenter) -> None:
    patches = made(closed_lips, spoken(40, silent_from=15))
    shown = [closed_lips.pictures[patch.presenter_frame] for patch in patches]
    moved = [np.abs(laid(p, s).astype(int) - s).mean() for p, s in zip(patches, shown, strict=True)]
    steps = np.abs(np.diff(moved))
    assert moved[-1] == 0
    assert steps.max() < 0.6 * max(moved)


def test_a_clip_without_any_face_asks_nothing_of_the_network(closed_lips: HeldPresenter) -> None:
    generator = StandInGenerator(open_mouthed)
    nobody = closed_lips.without_face(*range(len(closed_lips.pictures)))
    made(nobody, spoken(40), generator)
    assert generator.asked == []


def test_nothing_above_the_nose_changes_and_no_rectangle_is_seen(closed_lips: HeldPresenter) -> None:
    patch = made(closed_lips, spoken(12))[0]
    picture, eyes = closed_lips.pictures[0], closed_lips.tracks.landmarks[0, 36:48, 1].max()
    change = np.abs(laid(patch, picture).astype(int) - picture)
    assert not change[: int(eyes)].any()
    assert patch.pixels is not None
    height, width = patch.pixels.shape[:2]
    inside = change[patch.top : patch.top + height, patch.left : patch.left + width]
    assert inside.max() > 60
    assert max(edge.max() for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1])) <= 1


def test_a_few_frames_are_held_however_long_the_clip(closed_lips: HeldPresenter) -> None:
    alive: list[weakref.ref[Picture]] = []
    shown, most = Watched(closed_lips.pictures, closed_lips.tracks, alive), 0
    engine = Wav2LipEngine(StandInGenerator(open_mouthed, batch=4).generator)
    ahead = 0
    for patch in engine.generate(spoken(120), shown.sequence, shown.tracks):
        most = max(most, sum(reference() is not None for reference in alive))
        ahead = max(ahead, len(alive) - patch.output_frame)
    assert len(alive) == 120
    assert most <= 3
    # Five batches are under way at most: read, waiting, drawn, waiting, laid over.
    assert ahead <= 5 * 4 + 1


def test_faces_go_through_the_network_in_batches(closed_lips: HeldPresenter) -> None:
    generator = StandInGenerator(open_mouthed, batch=8)
    made(closed_lips, spoken(30), generator)
    assert generator.sizes == [8, 8, 8, 6]


def test_what_fails_while_drawing_is_raised(closed_lips: HeldPresenter) -> None:
    def broken(_: object) -> np.ndarray:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        made(closed_lips, spoken(5), StandInGenerator(broken))


def test_a_clip_that_fails_leaves_no_thread(closed_lips: HeldPresenter) -> None:
    def broken(_: object) -> np.ndarray:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        made(closed_lips, spoken(60), StandInGenerator(broken))
    # The error still holds on to everything that was under way.
    assert caught.value.__traceback__ is not None
    assert [thread for thread in threading.enumerate() if thread.name == "ahead"] == []


def test_bfloat16_changes_no_patch_by_more_than_two_levels(network: Wav2LipNetwork, smile: HeldPresenter) -> None:
    def patches(dtype: torch.dtype) -> list[MouthPatch]:
        engine = Wav2LipEngine(FaceGenerator(network, CPU, dtype, batch=4))
        return list(engine.generate(spoken(6), smile.sequence, smile.tracks))

    for exact, short in zip(patches(torch.float32), patches(torch.bfloat16), strict=True):
        assert exact.pixels is not None
        assert short.pixels is not None
        assert np.abs(exact.pixels.astype(int) - short.pixels).max() <= 2


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of checkpoints; the licence is acknowledged."""
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    monkeypatch.setenv("HEYGEM_CHECKPOINTS", str(folder))
    monkeypatch.setenv("HEYGEM_ACKNOWLEDGED_LICENCES", "wav2lip")
    monkeypatch.setenv("HEYGEM_DEVICE", "cpu")
    settings.cache_clear()
    return folder


def test_missing_weights_stop_it_before_any_work(checkpoints: Path) -> None:
    with pytest.raises(ModelMissing, match=r"wav2lip_gan\.pth"):
        load_engine("wav2lip", settings())


def test_missing_torch_is_told_with_the_command_that_installs_it(
    checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkpoints / "wav2lip.pth").write_bytes(b"weights")
    monkeypatch.setattr("heygem_pipeline.lipsync.wav2lip.engine.find_spec", lambda _: None)
    with pytest.raises(ModelMissing, match="wav2lip]"):
        load_engine("wav2lip", settings())


def test_the_licence_must_be_acknowledged(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEYGEM_ACKNOWLEDGED_LICENCES", "")
    settings.cache_clear()
    (checkpoints / "wav2lip.pth").write_bytes(b"weights")
    with pytest.raises(LicenceNotAcknowledged, match="esearch"):
        load_engine("wav2lip", settings())


def test_the_version_tells_weights_apart(checkpoints: Path) -> None:
    weights = checkpoints / "wav2lip.pth"
    weights.write_bytes(b"one")
    first = load_engine("wav2lip", settings()).version
    weights.write_bytes(b"another")
    assert "wav2lip.pth" in first
    assert load_engine("wav2lip", settings()).version != first


def test_damaged_weights_are_told(checkpoints: Path, closed_lips: HeldPresenter) -> None:
    (checkpoints / "wav2lip.pth").write_bytes(b"<html>quota exceeded</html>")
    engine: LipSyncEngine = load_engine("wav2lip", settings())
    with pytest.raises(CheckpointUnusable, match=r"wav2lip\.pth"):
        list(engine.generate(spoken(5), closed_lips.sequence, closed_lips.tracks))


def test_a_clip_is_made_through_the_command(network: Wav2LipNetwork, checkpoints: Path, tmp_path: Path) -> None:
    import av
    from typer.testing import CliRunner

    torch.save({"state_dict": {f"module.{k}": v for k, v in network.state_dict().items()}}, checkpoints / "wav2lip.pth")
    write_voice(tmp_path / "voice.wav", 0.61)
    write_video(tmp_path / "presenter.mp4", swaying_presenter(8), Fraction(30000, 1001))
    command = {"--audio": "voice.wav", "--template": "presenter.mp4", "--output": "clip.mp4"}
    arguments = [part for option, name in command.items() for part in (option, str(tmp_path / name))]
    done = CliRunner().invoke(app, ["generate", *arguments, "--engine", "wav2lip", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["engine"] == "wav2lip"
    assert "wav2lip.pth" in report["engine_version"]
    assert report["device"].startswith("cpu ")
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        frames = sum(1 for _ in clip.decode(video=0))
    assert frames == report["frames"] == round(Fraction(61, 100) * Fraction(30000, 1001)) == 18
