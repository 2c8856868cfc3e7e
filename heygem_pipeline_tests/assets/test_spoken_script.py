"""From script to voice to clip through the real graph: what is recorded, what fails, what is handed over."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path

import av
import dagster as dg
import pytest

from heygem_pipeline.assets.step_progress import NoDisplay
from heygem_pipeline.media.aigc import read_aigc
from heygem_pipeline.operations.materialize import Materializer, make_missing
from heygem_pipeline.planning.campaign_specifications import CampaignSpecifications
from heygem_pipeline.planning.planner import plan
from heygem_pipeline.planning.status import State
from heygem_pipeline.quality.report import finished_report
from heygem_pipeline.runs.instance import open_instance
from heygem_pipeline.runs.partitions import take_in_uploads
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.fingerprint import fingerprint
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline_tests.conftest import write_voice
from heygem_pipeline_tests.synthesis.speech_server import SpeechServer, send, speaks, used_speech_server

KEY = "sk-key-that-nobody-may-see"
VOICE = ["spoken_script", "audio_features"]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SpeechServer]:
    with used_speech_server(monkeypatch, KEY) as stand_in:
        yield stand_in


class Studio:
    """A data folder and its instance."""

    def __init__(self, folders: DataFolders, instance: dg.DagsterInstance) -> None:
        self.folders = folders
        self.instance = instance
        self.materializer = Materializer(instance, NoDisplay(), CampaignSpecifications(folders, settings()))
        self.said: list[str] = []

    def write(self, name: str, text: str) -> None:
        (self.folders.scripts / name).write_text(text, encoding="utf-8")
        take_in_uploads(self.instance, self.folders)

    def make(self) -> dict[ClipKey, State]:
        clips = list(plan(self.instance, self.folders, settings()).clips)
        found = make_missing(self.instance, self.folders, settings(), self.materializer, clips, self.said.append)
        return {clip: status.state for clip, status in found.clips.items()}

    def latest(self, asset: str, key: str) -> dg.AssetMaterialization:
        chosen = dg.AssetRecordsFilter(asset_key=dg.AssetKey(asset), asset_partitions=[key])
        found = self.instance.fetch_materializations(chosen, limit=1).records[0].asset_materialization
        assert found is not None
        return found

    def everything_kept(self) -> bytes:
        """All that the data folder holds: databases, logs, reports."""
        return b"".join(path.read_bytes() for path in self.folders.root.rglob("*") if path.is_file())


@pytest.fixture
def studio(data: DataFolders, server: SpeechServer, material: Path) -> Iterator[Studio]:
    shutil.copy(material / "presenter.mp4", data.presenters / "grace.mp4")
    with open_instance(data) as instance:
        yield Studio(data, instance)


@pytest.mark.long
def test_a_script_becomes_a_clip_and_a_changed_sentence_remakes_it_alone(studio: Studio, server: SpeechServer) -> None:
    folders = studio.folders
    write_voice(folders.voices / "anna.wav", 0.8)
    studio.write("welcome.en.txt", "Good morning.\n\nAny questions?")
    assert set(studio.make().values()) == {State.DONE}, studio.said
    clip = ClipKey("welcome.en", "grace")

    report = finished_report(folders, clip)
    assert report is not None
    seconds = json.loads(folders.transcript("welcome.en").read_text())["sentences"][-1]["end"]
    assert report.duration == pytest.approx(seconds, abs=0.05)
    spoken = studio.latest("spoken_script", "welcome.en")
    values = {name: value.value for name, value in spoken.metadata.items()}
    assert values.items() >= {"engine": "http tts-1", "voice": "alloy", "synthetic voice": True, "sentences": 2}.items()
    made_of, _, recording = str(spoken.tags and spoken.tags["dagster/data_version"]).partition("-")
    assert recording == fingerprint(folders.spoken("welcome.en"))
    assert studio.latest("spoken_script", "anna").metadata["engine"].value == "recorded"
    with zipfile.ZipFile(folders.delivery("welcome.en")) as archive:
        assert {"grace.mp4", "grace.vtt", "grace.srt"} <= set(archive.namelist())
        assert "Any questions?" in archive.read("grace.vtt").decode()
    with zipfile.ZipFile(folders.delivery("anna")) as archive:
        assert not [name for name in archive.namelist() if name.endswith(".vtt")]

    assert (report.subtitles, report.synthetic_voice) == ("soft", "http alloy")
    mark = read_aigc(folders.clip(clip))
    assert mark is not None and mark.ReservedCode1 == "SyntheticVoice: http alloy"
    assert track_of(folders.clip(clip)) == ("eng", ["Good morning.", "Any questions?"])
    assert track_of(folders.clip(ClipKey("anna", "grace"))) is None

    before = {path: path.stat().st_mtime_ns for path in (folders.root / "outputs").rglob("*.mp4")}
    asked = len(server.requests)
    assert set(studio.make().values()) == {State.DONE}
    studio.write("welcome.en.txt", "Good morning.\n\nAny more questions?")
    assert set(studio.make().values()) == {State.DONE}
    after = {path: path.stat().st_mtime_ns for path in (folders.root / "outputs").rglob("*.mp4")}
    assert {path for path in after if after[path] != before[path]} == {folders.clip(clip)}
    assert server.texts[asked:] == ["Good morning.", "Any more questions?"]
    assert str((tags := studio.latest("spoken_script", "welcome.en").tags) and tags["dagster/data_version"]) != (
        f"{made_of}-{recording}"
    )
    assert KEY.encode() not in studio.everything_kept()


def track_of(path: Path) -> tuple[str | None, list[str]] | None:
    """Language and texts of a clip's own subtitles; None where it has none."""
    with av.open(str(path)) as container:
        for track in container.streams.subtitles:
            return track.language, [bytes(packet)[2:].decode() for packet in container.demux(track) if packet.size > 2]
    return None


@pytest.mark.long
def test_subtitles_beside_a_recording_make_its_own_clips_again_and_no_others(studio: Studio) -> None:
    folders = studio.folders
    write_voice(folders.voices / "anna.de.wav", 0.8)
    write_voice(folders.voices / "marco.wav", 0.6)
    take_in_uploads(studio.instance, folders)
    assert set(studio.make().values()) == {State.DONE}, studio.said
    clips = {name: folders.clip(ClipKey(name, "grace")) for name in ("anna.de", "marco")}
    before = {name: path.stat().st_mtime_ns for name, path in clips.items()}
    (folders.voices / "anna.de.srt").write_text("1\n00:00:00,100 --> 00:00:00,600\nGuten Morgen.\n")
    assert set(studio.make().values()) == {State.DONE}, studio.said
    assert clips["marco"].stat().st_mtime_ns == before["marco"]
    assert track_of(clips["anna.de"]) == ("deu", ["Guten Morgen."])
    with zipfile.ZipFile(folders.delivery("anna.de")) as archive:
        assert {"grace.srt", "grace.vtt"} <= set(archive.namelist())

    (folders.campaigns / "burnt.yaml").write_text(
        "voices: [anna.de, marco]\npresenters: grace\nsettings: {subtitles: burnt}\n"
    )
    assert set(studio.make().values()) == {State.DONE}, studio.said
    assert clips["marco"].stat().st_mtime_ns == before["marco"]
    report = finished_report(folders, ClipKey("anna.de", "grace"))
    assert report is not None and (report.subtitles, report.synthetic_voice) == ("burnt", "")
    assert track_of(clips["anna.de"]) is None


def test_a_server_that_fails_is_one_sentence_of_its_own_voice(studio: Studio, server: SpeechServer) -> None:
    studio.write("welcome.en.txt", "Good morning.")
    studio.write("welcome.de.txt", "Guten Morgen.")

    def answer(handler, wanted) -> None:  # noqa: ANN001
        content = f'{{"error": {{"message": "no credit on {KEY}"}}}}'.encode()
        if wanted["input"] == "Guten Morgen.":
            return send(handler, content, 402)
        return speaks(handler, wanted)

    server.answers = [answer]
    failure = studio.materializer.run(VOICE, "welcome.de")
    assert failure is not None and "status 402" in failure and "no credit" in failure
    assert studio.materializer.run(VOICE, "welcome.en") is None
    found = plan(studio.instance, studio.folders, settings())
    assert found.voices["welcome.de"].state is State.FAILED
    assert found.voices["welcome.de"].reason is not None
    assert found.voices["welcome.de"].reason.code == "speech_server.refused"
    assert found.voices["welcome.en"].state is State.DONE
    assert not studio.folders.spoken("welcome.de").exists()
    assert len(server.requests) == 2
    assert KEY.encode() not in studio.everything_kept()

    studio.write("welcome.de.txt", "Guten Tag.")
    assert plan(studio.instance, studio.folders, settings()).voices["welcome.de"].state is State.READY


def test_what_is_spoken_already_is_not_asked_for_again(studio: Studio, server: SpeechServer) -> None:
    studio.write("welcome.en.txt", "Good morning.")
    assert studio.materializer.run(VOICE, "welcome.en") is None
    assert studio.materializer.run(VOICE, "welcome.en") is None
    assert len(server.requests) == 1
    assert studio.latest("spoken_script", "welcome.en").metadata["spoken anew"].value is False
    studio.folders.spoken("welcome.en").write_bytes(b"damaged")
    assert studio.materializer.run(VOICE, "welcome.en") is None
    assert len(server.requests) == 2


def test_without_its_recording_a_script_is_no_voice_yet(studio: Studio) -> None:
    studio.write("welcome.en.txt", "Good morning.")
    failure = studio.materializer.run(["audio_features"], "welcome.en")
    assert failure is not None and "spoken_script" in failure


@pytest.mark.long
def test_a_campaign_of_one_script_in_three_languages_on_two_presenters(
    studio: Studio, server: SpeechServer, material: Path
) -> None:
    folders = studio.folders
    shutil.copy(material / "presenter.mp4", folders.presenters / "mei.mp4")
    texts = {"de": "Guten Morgen.", "en": "Good morning to you.", "zh": "早上好，各位同学。"}
    for language, text in texts.items():
        studio.write(f"welcome.{language}.txt", text)
    (folders.campaigns / "spring.yaml").write_text(
        "scripts: welcome\nlanguages: [de, en, zh]\nspeakers: {de: onyx, zh: {voice: alloy, speed: 0.9}}\n"
        "presenters: [grace, mei]\ndelivery: {named_by_language: yes}\n"
    )
    states = studio.make()
    assert len(states) == 6 and set(states.values()) == {State.DONE}, studio.said
    asked = {request["input"]: (request["voice"], request["speed"]) for request in server.requests}
    assert asked == {
        texts["de"]: ("onyx", 1.0),
        texts["en"]: ("alloy", 1.0),
        texts["zh"]: ("alloy", 0.9),
    }
    with zipfile.ZipFile(folders.delivery("welcome.zh")) as archive:
        assert {"grace.zh.mp4", "grace.zh.vtt", "mei.zh.mp4", "mei.zh.srt"} <= set(archive.namelist())

    outputs = folders.root / "outputs"
    before = {path: path.stat().st_mtime_ns for path in outputs.rglob("*.mp4")}
    studio.write("welcome.en.txt", "Good morning to all of you.")
    assert set(studio.make().values()) == {State.DONE}
    changed = {path for path in outputs.rglob("*.mp4") if path.stat().st_mtime_ns != before[path]}
    assert changed == {folders.clip(ClipKey("welcome.en", presenter)) for presenter in ("grace", "mei")}
    assert len(server.requests) == 4
