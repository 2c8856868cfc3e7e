"""What the engine promises about whole clips. Reduced networks draw noise: nothing here judges how lips look."""

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.cli.main import app
from heygem_pipeline.errors import CheckpointUnusable, ModelMissing
from heygem_pipeline.faces.tracks import TrackedUpload
from heygem_pipeline.lipsync.contract.material import HeldPresenter, laid, made_features
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.lipsync.lower_face.strengths import blend_strengths
from heygem_pipeline.lipsync.musetalk.engine import MuseTalkEngine
from heygem_pipeline.lipsync.musetalk.face_crops import locate_faces
from heygem_pipeline.lipsync.musetalk.faces_to_draw import reference_frames
from heygem_pipeline.settings import EngineSettings, settings
from heygem_pipeline.speech.features import SpeechFeatures
from heygem_pipeline_tests.conftest import swaying_presenter, write_video, write_voice
from heygem_pipeline_tests.lipsync.musetalk.stand_in import StandInGenerator, tinted


@pytest.fixture(autouse=True)
def _settings_of_each_test() -> Iterator[None]:
    settings.cache_clear()
    yield
    settings.cache_clear()


def spoken(frames: int, silent_from: int | None = None, rate: Fraction = Fraction(25)) -> SpeechFeatures:
    """Speech of so many frames, with silence from one on."""
    activity = np.ones(int(frames / rate * 80) + 1)
    if silent_from is not None:
        activity[int(silent_from / rate * 80) :] = 0
    return replace(made_features(activity), duration=frames / rate)


def made(
    presenter: HeldPresenter,
    speech: SpeechFeatures,
    generator: StandInGenerator | None = None,
    chosen: EngineSettings | None = None,
    kept: Path | None = None,
    fingerprint: str = "presenter",
) -> list[MouthPatch]:
    engine = MuseTalkEngine((generator or StandInGenerator(tinted)).generator, chosen or EngineSettings())
    upload = TrackedUpload(fingerprint, "mesh 1", kept, 10**9) if kept else None
    return list(engine.generate(speech, presenter.sequence, replace(presenter.tracks, upload=upload)))


def test_silence_over_shut_lips_asks_nothing_of_the_network(closed_lips: HeldPresenter) -> None:
    generator = StandInGenerator(tinted)
    patches = made(closed_lips, spoken(60, silent_from=25), generator)
    assert len(patches) == 60 and all(patch.pixels is None for patch in patches[40:])
    assert len(generator.asked) < 36


def test_in_silence_a_mouth_that_stands_open_is_drawn_shut_and_still(smile: HeldPresenter) -> None:
    generator = StandInGenerator(tinted)
    patches = made(smile, spoken(60, silent_from=25), generator)
    assert all(patch.pixels is not None for patch in patches)
    asked = generator.asked[-20:]
    assert all((one.sound == -1).all() for one in asked)
    # The face to be drawn is each frame's own; the one that shows who speaks is the most closed of all.
    assert len({float(one.latents[0, 0, 0]) for one in asked}) > 5
    assert len({float(one.latents[4, 0, 0]) for one in asked}) == 1


def test_in_speech_every_frame_shows_itself_to_the_network(smile: HeldPresenter) -> None:
    generator = StandInGenerator(tinted)
    made(smile, spoken(30), generator)
    assert all(one.latents[0, 0, 0] == one.latents[4, 0, 0] for one in generator.asked)


def test_the_most_closed_mouth_is_that_of_the_same_shot_and_already_drawn(smile: HeldPresenter) -> None:
    tracks = replace(smile.tracks, cuts=(6,))
    crops, shown = locate_faces(tracks), np.arange(12)
    silence = np.zeros(12)
    strengths = blend_strengths(silence, crops.parted[shown], crops.usable[shown], tracks.frame_rate)
    chosen = reference_frames(silence, crops, shown, strengths, tracks)
    for position, frame in enumerate(chosen):
        first = 0 if position < 6 else 6
        seen = [one for one in range(first, position + 1) if strengths[one] > 0]
        if strengths[position] > 0:
            assert crops.gap[frame] == crops.gap[seen].min() and frame in seen


def test_a_presenter_is_encoded_once_for_all_voices(closed_lips: HeldPresenter, tmp_path: Path) -> None:
    kept = tmp_path / "presenter.latents"
    first, second, third = (StandInGenerator(tinted) for _ in range(3))
    made(closed_lips, spoken(30), first, kept=kept)
    assert len(first.encoded) == len(closed_lips.pictures) == 12
    second.encoded = list(first.encoded)
    patches = made(closed_lips, spoken(25), second, kept=kept)
    assert len(second.encoded) == 12 and len(second.asked) == 25
    for one, other in zip(made(closed_lips, spoken(25)), patches, strict=True):
        np.testing.assert_array_equal(np.asarray(one.pixels), np.asarray(other.pixels))
    made(closed_lips, spoken(5), third, kept=kept, fingerprint="another")
    assert len(third.encoded) == 5


def test_a_short_voice_encodes_what_it_shows_and_the_next_one_the_rest(
    closed_lips: HeldPresenter, tmp_path: Path
) -> None:
    kept = tmp_path / "presenter.latents"
    generator = StandInGenerator(tinted)
    made(closed_lips, spoken(4), generator, kept=kept)
    assert len(generator.encoded) == 4
    made(closed_lips, spoken(10), generator, kept=kept)
    assert len(generator.encoded) == 10


def test_a_clip_that_fails_keeps_nothing(closed_lips: HeldPresenter, tmp_path: Path) -> None:
    def broken(_: object) -> np.ndarray:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        made(closed_lips, spoken(5), StandInGenerator(broken), kept=tmp_path / "presenter.latents")
    assert list(tmp_path.iterdir()) == []


def test_a_clip_that_fails_leaves_no_thread(closed_lips: HeldPresenter) -> None:
    def broken(_: object) -> np.ndarray:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        made(closed_lips, spoken(60), StandInGenerator(broken))
    # The error still holds on to everything that was under way.
    assert caught.value.__traceback__ is not None
    assert [thread for thread in threading.enumerate() if thread.name == "ahead"] == []


@pytest.mark.parametrize("presenter", ["closed_lips", "smile"])
def test_wrong_colours_do_not_show_and_nothing_else_changes(presenter: str, request: pytest.FixtureRequest) -> None:
    held: HeldPresenter = request.getfixturevalue(presenter)
    patch = made(held, spoken(12))[5]
    picture = held.pictures[patch.presenter_frame]
    change = laid(patch, picture).astype(int) - picture
    assert not change[: int(held.tracks.landmarks[patch.presenter_frame, 29, 1])].any()
    changed = np.abs(change).max(axis=2) > 0
    assert 0.005 < changed.mean() < 0.2
    wrong = np.abs(tinted(picture) - picture)[changed].mean()
    assert np.abs(change[changed].mean(axis=0)).mean() < 0.25 * wrong
    assert patch.pixels is not None
    height, width = patch.pixels.shape[:2]
    inside = np.abs(change[patch.top : patch.top + height, patch.left : patch.left + width])
    assert max(edge.max() for edge in (inside[0], inside[-1], inside[:, 0], inside[:, -1])) <= 1


def test_a_face_at_the_edge_is_drawn_as_elsewhere(closed_lips: HeldPresenter) -> None:
    edge = closed_lips.moved(-175, 0)
    whole, cut = made(closed_lips, spoken(12))[6], made(edge, spoken(12))[6]
    assert whole.pixels is not None and cut.pixels is not None
    first, second = laid(whole, closed_lips.pictures[6]), laid(cut, edge.pictures[6])
    mouth = closed_lips.tracks.landmarks[6, 48:68].mean(axis=0).astype(int)
    near = slice(mouth[1] - 20, mouth[1] + 20)
    one = first[near, mouth[0] - 20 : mouth[0] + 20].astype(int)
    other = second[near, mouth[0] - 195 : mouth[0] - 155].astype(int)
    assert np.abs(one - other).mean() < 3


def test_steadying_makes_lips_tremble_less(closed_lips: HeldPresenter) -> None:
    still = closed_lips.only(slice(0, 1))

    def trembling(share: float) -> float:
        noise = np.random.default_rng(0)
        generator = StandInGenerator(lambda face: face + noise.normal(0, 20, face.shape))
        patches = made(still, spoken(20), generator, EngineSettings(musetalk_steadying=share))
        pictures = np.stack([laid(patch, still.pictures[0]) for patch in patches]).astype(float)
        return float(np.abs(np.diff(pictures, axis=0)).mean())

    assert trembling(1.0) < 0.6 * trembling(0.0)


def test_it_says_how_long_it_will_take_with_the_speed_it_measured(
    closed_lips: HeldPresenter, caplog: pytest.LogCaptureFixture
) -> None:
    generator = StandInGenerator(tinted)
    generator.frames_a_second = 0.05
    with caplog.at_level(logging.INFO, "heygem_pipeline.lipsync.musetalk"):
        made(closed_lips, spoken(30), generator)
    (said,) = [record for record in caplog.records if "faces a second" in record.message]
    assert said.levelno == logging.WARNING
    assert "0.05 faces a second on cpu float32: the 30 faces of this clip take about 10 minutes" in said.message


@pytest.fixture
def chosen(tmp_path: Path, checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of checkpoints, in the settings."""
    folder = tmp_path / "checkpoints"
    for file in checkpoints.rglob("*.*"):
        if file.is_file():
            (folder / file.relative_to(checkpoints)).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.relative_to(checkpoints)).symlink_to(file)
    monkeypatch.setenv("HEYGEM_CHECKPOINTS", str(folder))
    monkeypatch.setenv("HEYGEM_DEVICE", "cpu")
    monkeypatch.setenv("HEYGEM_MUSETALK_PRECISION", "float32")
    return folder


@pytest.mark.parametrize(
    "file", ["musetalkV15/unet.pth", "sd-vae/diffusion_pytorch_model.bin", "whisper/pytorch_model.bin"]
)
def test_missing_weights_stop_it_before_any_work(chosen: Path, file: str) -> None:
    (chosen / file).unlink()
    with pytest.raises(ModelMissing, match=file):
        load_engine("musetalk", settings())


def test_missing_packages_are_told_with_the_command_that_installs_them(
    chosen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "heygem_pipeline.lipsync.musetalk.engine.find_spec", lambda name: None if name == "diffusers" else name
    )
    with pytest.raises(ModelMissing, match=r"\(diffusers\).*musetalk\]"):
        load_engine("musetalk", settings())


def test_the_version_tells_weights_and_settings_apart(chosen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_engine("musetalk", settings()).version
    assert all(name in first for name in ("unet.pth", "diffusion_pytorch_model.bin", "pytorch_model.bin"))
    monkeypatch.setenv("HEYGEM_MUSETALK_STEADYING", "0.5")
    settings.cache_clear()
    steady = load_engine("musetalk", settings()).version
    (chosen / "musetalkV15/unet.pth").unlink()
    (chosen / "musetalkV15/unet.pth").write_bytes(b"other")
    assert len({first, steady, load_engine("musetalk", settings()).version}) == 3


def test_damaged_weights_are_told(chosen: Path, closed_lips: HeldPresenter) -> None:
    (chosen / "musetalkV15/unet.pth").unlink()
    (chosen / "musetalkV15/unet.pth").write_bytes(b"<html>quota exceeded</html>")
    engine = load_engine("musetalk", settings())
    with pytest.raises(CheckpointUnusable, match=r"unet\.pth"):
        list(engine.generate(spoken(5), closed_lips.sequence, closed_lips.tracks))


@pytest.mark.long(1)
def test_a_clip_is_made_through_the_command(chosen: Path, tmp_path: Path) -> None:
    """The whole way, with reduced networks: a real file of 18 frames at 29.97 frames a second."""
    import av
    from typer.testing import CliRunner

    write_voice(tmp_path / "voice.wav", 0.61)
    write_video(tmp_path / "presenter.mp4", swaying_presenter(8), Fraction(30000, 1001))
    command = {"--audio": "voice.wav", "--template": "presenter.mp4", "--output": "clip.mp4"}
    arguments = [part for option, name in command.items() for part in (option, str(tmp_path / name))]
    done = CliRunner().invoke(app, ["generate", *arguments, "--engine", "musetalk", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["engine"] == "musetalk" and "unet.pth" in report["engine_version"]
    assert report["device"] == "cpu float32"
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        frames = sum(1 for _ in clip.decode(video=0))
    assert frames == report["frames"] == round(Fraction(61, 100) * Fraction(30000, 1001)) == 18
