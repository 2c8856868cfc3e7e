"""Scripts in the page: read with what they say of themselves, and written as people would write them."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from heygem_pipeline.errors import PipelineError, ScriptUnusable
from heygem_pipeline.media.subtitles import read_cues
from heygem_pipeline.messages.message import Message, legible
from heygem_pipeline.settings import Settings, SynthesisSettings
from heygem_pipeline.storage.atomic import atomic_path, place
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio.uploads import PREFIX, safe_name
from heygem_pipeline.synthesis.front_matter import FENCE, FrontMatter, language_of_name, read_front_matter
from heygem_pipeline.synthesis.script import SUBTITLES, read_script
from heygem_pipeline.synthesis.speech_spec import speech_spec
from heygem_pipeline.synthesis.synthesizer import EngineVoice, SpeechSynthesizer
from heygem_pipeline.synthesis.synthesizer_registry import SYNTHESIZERS, load_synthesizer
from heygem_pipeline.synthesis.transcript import read_transcript
from heygem_pipeline.uploads.registry import UploadKind, Uploads

SUFFIX = ".txt"
"""Of scripts that are written in the page."""


@dataclass(frozen=True)
class WrittenScript:
    """What somebody wrote. key: of the script that it changes; "" for a new one. "" elsewhere: as usual."""

    key: str
    name: str
    text: str
    language: str
    engine: str
    voice: str


def script_text(uploads: Uploads, key: str) -> dict[str, Any]:
    """A script as it is changed in the page, and its sentences with their times where it was spoken.

    Raises UploadMissing, and ScriptUnusable where it is no text.
    """
    path = uploads.find(UploadKind.SCRIPT, key)
    says, text = _parts(path)
    return {
        "file": legible(path.name),
        "text": text.strip("\n"),
        "language": says.language or language_of_name(path.stem) or "",
        "engine": says.engine or "",
        "voice": says.voice or "",
        "sentences": _sentences(uploads.folders, key),
    }


def _parts(path: Path) -> tuple[FrontMatter, str]:
    text = path.read_bytes().decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return read_front_matter(text, path.name)


def _sentences(folders: DataFolders, key: str) -> list[dict[str, Any]]:
    try:
        transcript = read_transcript(folders.files.fetch(folders.transcript(key)))
    except (OSError, ValueError, KeyError):
        return []
    return [{"text": one.text, "begin": one.begin, "end": one.end} for one in transcript.sentences]


def write_script(uploads: Uploads, settings: Settings, written: WrittenScript) -> Path:
    """Store it, whole or not at all; return where it lies. Raises BadInput where it could not be spoken."""
    old = uploads.find(UploadKind.SCRIPT, written.key) if written.key else None
    path = old or uploads.folder(UploadKind.SCRIPT) / _name_of(written)
    growing = path.with_name(f"{PREFIX}{uuid4().hex}")
    try:
        growing.write_text(_content(path, old, written), encoding="utf-8")
        _require_speakable(growing, path, settings)
        if old is not None:
            return uploads.exchange(UploadKind.SCRIPT, written.key, growing, path.suffix.lower())
        return place(growing, _names(path))
    finally:
        growing.unlink(missing_ok=True)


def write_text_beside(uploads: Uploads, key: str, ending: str, text: str) -> Path:
    """Put the text of a recording beside it, in place of what lay there; return where it lies.

    Raises UploadMissing, and ScriptUnusable for subtitles that are none.
    """
    recording = uploads.find(UploadKind.VOICE, key)
    path = recording.with_name(f"{recording.stem}{ending}")
    if ending in SUBTITLES and not read_cues(text.replace("\r\n", "\n")):
        raise ScriptUnusable("script.no_subtitles", file=path.name)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    # The first of these that is there counts.
    for other in {".srt", ".vtt", ".txt"} - {ending}:
        path.with_suffix(other).unlink(missing_ok=True)
    return path


def _content(path: Path, old: Path | None, written: WrittenScript) -> str:
    before = FrontMatter()
    if old is not None:
        try:
            before, _ = _parts(old)
        except PipelineError:
            before = FrontMatter()  # what could not be understood is what is being put right
    told = written.language if written.language != (language_of_name(path.stem) or "") else ""
    says = replace(
        before, language=told or None, engine=written.engine or None, voice=written.voice.strip() or None
    ).written()
    text = unicodedata.normalize("NFC", written.text).replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    if not says and text.partition("\n")[0].rstrip() == FENCE:
        says = f"{FENCE}\n{FENCE}\n"
    return f"{says}{text}\n"


def _require_speakable(growing: Path, path: Path, settings: SynthesisSettings) -> None:
    """Read it under the name that it will have, which its errors name."""
    looked_at = growing.with_name(f"{growing.name}-{path.name}")
    try:
        growing.rename(looked_at)
        script = read_script(looked_at, settings)
        speech_spec(script, settings)
    except PipelineError as error:
        raise type(error)(
            error.code, **{**error.values, **({"file": path.name} if "file" in error.values else {})}
        ) from error
    finally:
        looked_at.rename(growing)


def _name_of(written: WrittenScript) -> str:
    """``welcome.de.txt``: campaigns find the languages of a script by its name."""
    named = " ".join(written.name.split()) or "script"
    language = written.language if language_of_name(f"x.{written.language}") == written.language else ""
    if language and not named.endswith(f".{language}"):
        named = f"{named}.{language}"
    return safe_name(f"{named}{SUFFIX}".replace("/", "_").replace("\\", "_"), UploadKind.SCRIPT)


def _names(path: Path) -> Iterator[Path]:
    """Numbers stand before the language, which a name ends with."""
    yield path
    language = language_of_name(path.stem)
    stem = path.stem.removesuffix(f".{language}") if language else path.stem
    for number in count(2):
        yield path.with_name(f"{stem} ({number}){f'.{language}' if language else ''}{path.suffix}")


@dataclass(frozen=True)
class Speaker:
    """A voice of an engine, as the page lists it. lack: what keeps it from speaking on this machine."""

    engine: str
    voice: EngineVoice
    lack: Message | None


def speakers(settings: SynthesisSettings) -> list[Speaker]:
    """The voices of all engines, the usual engine's first. An engine that cannot be used is one with what it lacks."""
    found: list[Speaker] = []
    for name in sorted(SYNTHESIZERS, key=lambda one: (one != settings.speech_engine, one)):
        try:
            engine = load_synthesizer(name, settings)
            voices = list(engine.voices())
        except PipelineError as error:
            found.append(Speaker(name, EngineVoice("", ""), error.message))
            continue
        lacking = {
            voice.language: _lack(engine, voice.name) for voice in {one.language: one for one in voices}.values()
        }
        found += [Speaker(name, voice, lacking[voice.language]) for voice in voices]
    return found


def _lack(engine: SpeechSynthesizer, voice: str) -> Message | None:
    try:
        engine.require_ready(voice)
    except PipelineError as error:
        return error.message
    return None
