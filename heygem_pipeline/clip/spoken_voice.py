"""A voice that is brought as a script: spoken once, and again only where what decides its sound has changed."""

from dataclasses import dataclass
from pathlib import Path

from heygem_pipeline.settings import SynthesisSettings
from heygem_pipeline.storage.fingerprint import sha256_of
from heygem_pipeline.synthesis.front_matter import FrontMatter
from heygem_pipeline.synthesis.recording import Progress, script_version, speak
from heygem_pipeline.synthesis.script import read_script
from heygem_pipeline.synthesis.speech_spec import speech_spec
from heygem_pipeline.synthesis.transcript import Transcript, read_transcript, write_subtitles, write_transcript


@dataclass(frozen=True)
class SpokenFiles:
    """Where a recording lies, and what belongs to it."""

    recording: Path
    transcript: Path
    subtitles: Path


def speak_voice(
    script: Path, files: SpokenFiles, settings: SynthesisSettings, ordered: FrontMatter, progress: Progress
) -> tuple[Transcript, bool]:
    """Make the recording of a script; return its transcript, and whether it was spoken anew.

    Raises BadInput, NotReady.

    Args:
        ordered: how it is spoken where it says nothing itself.
    """
    read = read_script(script, settings)
    spec = speech_spec(read, settings, ordered)
    kept = _kept(files, script_version(read, spec))
    if kept is not None:
        return kept, False
    # A recording without a transcript counts as not made: no text stands beside a recording of another.
    files.transcript.unlink(missing_ok=True)
    transcript = speak(read, spec, files.recording, progress)
    write_subtitles(transcript, files.subtitles)
    write_transcript(transcript, files.transcript)
    return transcript, True


def _kept(files: SpokenFiles, version: str) -> Transcript | None:
    """The transcript of a recording that is as it would be made now; None where there is none."""
    try:
        transcript = read_transcript(files.transcript)
        same = transcript.version == version and transcript.sha256 == sha256_of(files.recording)
    except (OSError, ValueError, KeyError):
        return None
    return transcript if same and files.subtitles.exists() else None
