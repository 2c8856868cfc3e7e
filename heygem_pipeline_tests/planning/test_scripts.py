"""Voices that are brought as scripts, before the planner: what is spoken, stale, refused, waited for."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from heygem_pipeline.assets.spoken_script import spoken_files
from heygem_pipeline.clip.spoken_voice import speak_voice
from heygem_pipeline.errors import CampaignsDisagree
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.status import State
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.speech.analysis import ANALYSIS_VERSION
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.version_strings import clip_version, spoken_version, voice_version
from heygem_pipeline.synthesis.front_matter import FrontMatter
from heygem_pipeline.uploads.registry import UploadKind, Uploads
from heygem_pipeline_tests.house import House
from heygem_pipeline_tests.synthesis.speech_server import SpeechServer, used_speech_server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SpeechServer]:
    with used_speech_server(monkeypatch) as stand_in:
        yield stand_in


class Scripts:
    """The house with scripts in it; they are really spoken, what is made of the recordings is made up."""

    def __init__(self, house: House) -> None:
        self.house = house

    def write(self, text: str, name: str = "welcome.de.txt") -> None:
        self.house.folders.scripts.mkdir(exist_ok=True)
        (self.house.folders.scripts / name).write_text(text, encoding="utf-8")
        self.house.take_in()

    def speak(self, key: str = "welcome.de") -> None:
        folders = self.house.folders
        script = Uploads(folders).find(UploadKind.SCRIPT, key)
        transcript, _ = speak_voice(script, spoken_files(folders, key), settings(), FrontMatter(), lambda *_: None)
        version = spoken_version(transcript.version, transcript.sha256)
        self.house._made("spoken_script", key, version)
        self.house._made("audio_features", key, voice_version(transcript.sha256, ANALYSIS_VERSION), folders.voice(key))

    def state(self, key: str = "welcome.de") -> State:
        return self.house.plan().voices[key].state

    def code(self, key: str = "welcome.de") -> str:
        reason = self.house.plan().voices[key].reason
        return reason.code if reason else ""


@pytest.fixture
def scripts(house: House, server: SpeechServer) -> Scripts:
    return Scripts(house)


def test_a_script_is_a_voice_that_is_to_be_made(scripts: Scripts) -> None:
    scripts.write("Guten Morgen.")
    house = scripts.house
    assert "welcome.de" in house.instance.get_dynamic_partitions("audio")
    assert house.instance.get_dynamic_partitions("script") == []
    found = house.plan()
    assert found.voices["welcome.de"].state is State.READY
    assert found.clips[ClipKey("welcome.de", "one")].state is State.WAITING
    scripts.speak()
    assert scripts.state() is State.DONE


def test_a_changed_sentence_makes_stale_what_depends_on_it_and_only_that(scripts: Scripts) -> None:
    scripts.write("Guten Morgen. Wir beginnen.")
    scripts.write("Good morning.", "welcome.en.txt")
    house = scripts.house
    scripts.speak()
    scripts.speak("welcome.en")
    house.make_inputs()
    for key in ("welcome.de", "welcome.en"):
        make_clip(house, key)
    house.make_clip()
    assert {house.clip(key).state for key in ("welcome.de", "welcome.en", "one")} == {State.DONE}

    scripts.write("# Guten Morgen.\n\n*Wir* beginnen.", "welcome.de.md")  # another file, another key
    scripts.write("Guten Morgen. Wir beginnen jetzt.")
    assert scripts.state() is State.STALE
    assert house.clip("welcome.de").state is State.WAITING
    assert {house.clip(key).state for key in ("welcome.en", "one")} == {State.DONE}
    scripts.speak()
    assert scripts.state() is State.DONE
    assert house.clip("welcome.de").state is State.STALE
    assert {house.clip(key).state for key in ("welcome.en", "one")} == {State.DONE}


def make_clip(house: House, key: str) -> None:
    """As House.make_clip, of a voice that was spoken."""
    recording = json.loads(house.folders.transcript(key).read_text(encoding="utf-8"))["sha256"]
    found = house.plan()
    presenter = Uploads(house.folders).known(UploadKind.PRESENTER)["one"]
    rendering = found.inputs.rendering(key, "one", ())
    clip = ClipKey(key, "one")
    version = clip_version(recording, presenter.fingerprint, rendering.version)
    house._made("encoded_video", clip.partition, version, house.folders.clip(clip), house.folders.report(clip))


def test_what_does_not_change_the_sound_makes_nothing_stale(scripts: Scripts, server: SpeechServer) -> None:
    scripts.write("Guten   Morgen.\nWir beginnen.")
    scripts.speak()
    scripts.write("---\nlanguage: de\n# ours\n---\nGuten Morgen.\n Wir beginnen.\n\n")
    assert scripts.state() is State.DONE
    asked = len(server.requests)
    scripts.speak()
    assert len(server.requests) == asked


@pytest.mark.parametrize(
    "name, value",
    [("SPEECH_VOICE", "nova"), ("SPEECH_MODEL", "hd"), ("SPEECH_SPEED", "1.1"), ("SPEECH_ADDRESS", "http://x/v1")],
)
def test_settings_that_decide_the_sound_make_it_stale(
    name: str, value: str, scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts.write("Guten Morgen.")
    scripts.speak()
    monkeypatch.setenv(f"HEYGEM_{name}", value)
    settings.cache_clear()
    assert scripts.state() is (State.DONE if name == "SPEECH_ADDRESS" else State.STALE)


def test_a_recording_that_is_gone_is_made_again(scripts: Scripts) -> None:
    scripts.write("Guten Morgen.")
    scripts.speak()
    scripts.house.folders.spoken("welcome.de").unlink()
    assert scripts.state() is State.STALE


BAD = {
    "script.empty": "\n\n",
    "script.no_words": "?!",
    "script.engine": "---\nengine: kokkoro\n---\nGuten Morgen.",
    "synthesis.no_such_language": "---\nengine: kokoro\n---\nGuten Morgen.",
}


@pytest.mark.parametrize("code", BAD)
def test_a_bad_script_fails_in_a_sentence_before_a_run_and_others_go_on(code: str, scripts: Scripts) -> None:
    scripts.write(BAD[code])
    scripts.write("Good morning.", "welcome.en.txt")
    assert (scripts.state(), scripts.code()) == (State.FAILED, code)
    assert scripts.house.clip("welcome.de").reason == scripts.house.plan().voices["welcome.de"].reason
    assert scripts.state("welcome.en") is State.READY
    scripts.write("Guten Morgen.")
    assert scripts.state() is State.READY


def test_a_server_that_is_not_set_is_told_and_made_up_for(
    scripts: Scripts, server: SpeechServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    scripts.write("Guten Morgen.")
    monkeypatch.setenv("HEYGEM_SPEECH_ADDRESS", "")
    settings.cache_clear()
    assert (scripts.state(), scripts.code()) == (State.FAILED, "speech_server.no_address")
    monkeypatch.setenv("HEYGEM_SPEECH_ADDRESS", server.address)
    settings.cache_clear()
    scripts.speak()
    monkeypatch.setenv("HEYGEM_SPEECH_ADDRESS", "")
    settings.cache_clear()
    assert scripts.state() is State.DONE


def test_a_change_counts_when_it_was_taken_in(scripts: Scripts) -> None:
    scripts.write("Guten Morgen.")
    path = scripts.house.folders.scripts / "welcome.de.txt"
    path.write_text("Guten M")
    assert scripts.state() is State.WAITING
    scripts.write("Guten Morgen.")
    scripts.speak()
    path.write_text("Guten M")
    assert scripts.state() is State.DONE
    scripts.house.take_in()
    assert scripts.state() is State.STALE


def test_a_script_that_comes_after_a_recording_of_its_name_is_refused(scripts: Scripts) -> None:
    scripts.write("One.", "one.txt")
    found = scripts.house.plan()
    assert found.voices["one"].state is State.READY
    refused = found.voices["one (txt)"]
    assert refused.state is State.FAILED and refused.reason is not None
    assert refused.reason.code == "upload.same_name"
    assert refused.reason.values == {"recording": "one.wav", "script": "one.txt"}
    assert found.clips[ClipKey("one (txt)", "one")].reason == refused.reason
    (scripts.house.folders.voices / "one.wav").unlink()
    scripts.house.take_in()
    assert scripts.house.plan().voices["one (txt)"].state is State.READY


def test_a_recording_that_comes_after_a_script_of_its_name_is_refused(scripts: Scripts) -> None:
    scripts.write("Guten Morgen.")
    scripts.speak()
    scripts.house.replace("welcome.de", "sound")
    scripts.house.take_in()
    found = scripts.house.plan()
    assert found.voices["welcome.de"].state is State.DONE
    assert found.voices["welcome.de (wav)"].reason is not None
    assert found.voices["welcome.de (wav)"].reason.code == "upload.same_name"


def test_scripts_come_and_go_with_their_partitions(scripts: Scripts) -> None:
    scripts.write("Guten Morgen.")
    house = scripts.house
    again = take_in_uploads(house.instance, house.folders)
    assert [again[kind].added + again[kind].retired for kind in UploadKind] == [[], [], []]
    (house.folders.scripts / "welcome.de.txt").unlink()
    gone = take_in_uploads(house.instance, house.folders)
    assert (gone[UploadKind.SCRIPT].retired, gone[UploadKind.VOICE].retired) == (["welcome.de"], [])
    assert "welcome.de" not in house.instance.get_dynamic_partitions("audio")
    assert "welcome.de" not in house.plan().voices


def test_a_data_folder_without_scripts_stays_as_it_is(house: House) -> None:
    register = house.folders.state / "uploads.json"
    before = register.read_text()
    if house.folders.scripts.exists():
        house.folders.scripts.rmdir()
    house.make_inputs()
    house.make_clip()
    house.take_in()
    assert register.read_text() == before
    assert "script" not in json.loads(before)
    assert house.clip().state is State.DONE
    assert house.plan().voices["one"].state is State.DONE
    assert not house.folders.scripts.exists()


def test_the_register_tells_kinds_apart(tmp_path: Path, scripts: Scripts) -> None:
    scripts.write("Guten Morgen.", "Welcome.DE.txt")
    scripts.write("Guten Morgen.", "welcome.de.txt")
    uploads = Uploads(scripts.house.folders)
    assert set(uploads.known(UploadKind.SCRIPT)) == {"Welcome.DE", "welcome.de (txt)"}
    assert set(uploads.voices()) == {"one", "two", "Welcome.DE", "welcome.de (txt)"}
    assert uploads.sound("one") == scripts.house.folders.voices / "one.wav"


def test_a_campaign_says_who_speaks_and_two_must_agree(scripts: Scripts) -> None:
    scripts.write("Guten Morgen.")
    house = scripts.house
    text = "scripts: welcome\nlanguages: [de]\npresenters: one\nspeakers: {de: %s}\n"
    (house.folders.campaigns / "spring.yaml").write_text(text % "onyx")
    specifications = CampaignSpecifications(house.folders, settings())
    assert specifications.speech_order("welcome.de") == FrontMatter("de", None, "onyx", None)
    scripts.speak()
    assert scripts.state() is State.STALE  # it was spoken by the usual voice
    assert set(house.plan().clips) == {ClipKey("welcome.de", "one")}
    (house.folders.campaigns / "summer.yaml").write_text(text % "nova")
    assert (scripts.state(), scripts.code()) == (State.FAILED, "campaigns.speakers_disagree")
    with pytest.raises(CampaignsDisagree):
        specifications.speech_order("welcome.de")
    assert specifications.speech_order("one") == FrontMatter()
