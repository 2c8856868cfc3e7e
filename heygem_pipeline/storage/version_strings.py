"""What things are made of, as Dagster's data versions say it. Stored: change a string, and all is made again."""

import hashlib
import json
from collections.abc import Mapping


def name_and_version(name: str, version: str) -> str:
    """A tracker or an engine."""
    return f"{name} {version}"


def spoken_version(script: str, recording: str) -> str:
    """A recording made from a script.

    Args:
        script: all that it was made of, without "-".
        recording: its fingerprint.
    """
    return f"{script}-{recording}"


def parts_of_spoken_version(version: str) -> tuple[str, str]:
    """The two that ``spoken_version`` joined."""
    script, _, recording = version.partition("-")
    return script, recording


def recorded_version(fingerprint: str) -> str:
    """A person's own recording, which needs no speaking."""
    return f"recorded-{fingerprint}"


def voice_version(fingerprint: str, analysis: str) -> str:
    """A voice's features.

    Args:
        fingerprint: of the upload.
        analysis: its version.
    """
    return f"{fingerprint}-{analysis}"


def presenter_version(fingerprint: str, tracker: str) -> str:
    """A presenter's tracks.

    Args:
        tracker: name and version.
    """
    return f"{fingerprint}-{tracker}"


def patches_version(
    voice_fingerprint: str,
    presenter_fingerprint: str,
    tracker: str,
    engine: str,
    engine_version: str,
    voice_part: str = "",
) -> str:
    """A clip's mouth patches.

    Args:
        tracker: name and version.
        voice_part: of the voice, where it is not used as a whole.
    """
    made_of = voice_fingerprint[:16], presenter_fingerprint[:16], tracker, engine, engine_version
    return "-".join((*made_of, voice_part) if voice_part else made_of)


def rendering_version(tracker: str, engine: str, made_with: Mapping[str, str | int]) -> str:
    """How clips are made, for ``clip_version``.

    Args:
        tracker: name and version.
        engine: name and version.
        made_with: a report's settings.
    """
    return f"{tracker}-{engine}-{hashlib.sha256(json.dumps(made_with, sort_keys=True).encode()).hexdigest()[:8]}"


def clip_version(voice_fingerprint: str, presenter_fingerprint: str, rendering: str) -> str:
    """All that a clip is made of: two clips of one version need not both be made."""
    return f"{voice_fingerprint[:16]}-{voiceless_version(presenter_fingerprint, rendering)}"


def voiceless_version(presenter_fingerprint: str, rendering: str) -> str:
    """The same without the voice."""
    return f"{presenter_fingerprint[:16]}-{rendering}"


def clip_versions(voice_fingerprint: str, voiceless: Mapping[str, str]) -> dict[str, str]:
    """The versions of a voice's clips by presenter, from what ``voiceless_version`` says of each."""
    before = f"{voice_fingerprint[:16]}-"
    return {presenter: before + version for presenter, version in voiceless.items()}
