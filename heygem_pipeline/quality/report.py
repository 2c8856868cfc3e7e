"""The report of one finished clip: what it is, how it was made, what was measured on it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path
from typing import Any

from heygem_pipeline.messages.message import Message, verbatim
from heygem_pipeline.settings import ClipSettings, Subtitles
from heygem_pipeline.storage.atomic import atomic_path
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.storage.state_file import NOT_READABLE
from heygem_pipeline.storage.version_strings import clip_version, name_and_version, rendering_version

OWN_STAGES = ("lipsync", "encode", "sync")
"""The stages that belong to one clip."""


class Verdict(StrEnum):
    """The outcome of a check."""

    PASSED = "passed"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Check:
    """One check of a finished clip.

    Attributes:
        message: what was found.
    """

    name: str
    verdict: Verdict
    message: Message

    def as_json(self) -> dict[str, Any]:
        """The check as JSON values; ``sentence``: what was found, in English."""
        return {
            "name": self.name,
            "verdict": self.verdict.value,
            "sentence": str(self.message),
            "message": self.message.as_json(),
        }

    @staticmethod
    def from_json(stored: Mapping[str, Any]) -> "Check":
        """The check of ``as_json``, or of an earlier version, which knew the sentence alone."""
        message = Message.from_json(stored["message"]) if "message" in stored else verbatim(stored["sentence"])
        return Check(stored["name"], Verdict(stored["verdict"]), message)


@dataclass(frozen=True)
class ClipReport:
    """Everything said of a finished clip; also the row of a delivery's manifest.

    Attributes:
        device: what the engine drew on, "cpu bfloat16".
        frame_rate: exact, "30000/1001".
        duration: seconds of picture.
        sound_duration: seconds of sound.
        seconds: what each stage took.
        sync_offset_frames: positive = sound later than mouth, None where no motion could be compared.
        own_mouth: share of the frames in which the mouth is one of the presenter's own, taken from another frame; in
            the rest it is moved and its inside drawn.
        made_at: ISO 8601, UTC.
        produce_id: of the AIGC mark.
        made_with: its settings.
        subtitles: "soft" or "burnt" where there are any.
        synthetic_voice: engine and voice where nobody spoke what is heard.
        loudness: of what is heard, LUFS; None where it cannot be measured, or an earlier version made the clip.
    """

    audio: str
    template: str
    output: str
    engine: str
    engine_version: str
    device: str
    tracker: str
    frames: int
    frame_rate: str
    width: int
    height: int
    duration: float
    sound_duration: float
    sync_offset_frames: float | None
    sync_confidence: float
    own_mouth: float
    seconds: dict[str, float]
    checks: list[Check]
    warnings: list[Message]
    audio_fingerprint: str
    template_fingerprint: str
    produce_id: str
    bytes: int
    made_with: dict[str, str | int]
    made_at: str
    subtitles: str = ""
    synthetic_voice: str = ""
    loudness: float | None = None

    @property
    def fps(self) -> float:
        """Frames a second, for reading."""
        return float(Fraction(self.frame_rate))

    @property
    def own_seconds(self) -> float:
        """What was spent on this clip alone: not on the voice and the presenter, which serve other clips too."""
        return sum(spent for stage, spent in self.seconds.items() if stage in OWN_STAGES)

    @property
    def speed(self) -> float:
        """Seconds of clip made in a second of the clip's own work."""
        return self.duration / self.own_seconds

    @property
    def version(self) -> str:
        """What the clip is made of, as ``clip_version`` says it."""
        rendering = rendering_version(self.tracker, name_and_version(self.engine, self.engine_version), self.made_with)
        return clip_version(self.audio_fingerprint, self.template_fingerprint, rendering)

    @property
    def verdict(self) -> Verdict:
        """The worst of the checks."""
        verdicts = {check.verdict for check in self.checks}
        return next((v for v in (Verdict.FAILED, Verdict.WARNING) if v in verdicts), Verdict.PASSED)

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values, with ``fps``, ``own_seconds`` and ``speed`` for reading.

        ``warnings``: English sentences, as ``sentence`` is in ``checks``; code and values of each stand in
        ``warning_messages``.
        """
        stored = {name: getattr(self, name) for name in ClipReport.__dataclass_fields__}
        said = {
            "checks": [check.as_json() for check in self.checks],
            "warnings": [str(warning) for warning in self.warnings],
            "warning_messages": [warning.as_json() for warning in self.warnings],
        }
        derived = {
            "fps": round(self.fps, 3),
            "own_seconds": round(self.own_seconds, 2),
            "speed": round(self.speed, 3),
        }
        return stored | said | derived


_NEWER = {"subtitles", "synthetic_voice", "loudness"}
"""Fields that earlier reports lack."""


def settings_of_report(made_with: ClipSettings, text_version: str = "", voice_part: str = "") -> dict[str, str | int]:
    """The settings a clip is made with, as its report keeps them: when they change, it must be made again.

    text_version: of what is said, where that is known. Of other clips the choice of subtitles changes nothing.
    voice_part: of the voice, where it is not used as a whole.
    """
    values = made_with.model_dump(mode="json", include=ClipSettings.model_fields.keys() - {"subtitles", "loudness"})
    if made_with.loudness is not None:
        values["loudness"] = str(made_with.loudness)
    if text_version and made_with.subtitles is not Subtitles.NONE:
        values["subtitles"] = f"{made_with.subtitles} {text_version}"
    return values | ({"voice_part": voice_part} if voice_part else {})


def write_report(report: ClipReport, destination: Path) -> None:
    """Store the report as JSON, whole or not at all."""
    with atomic_path(destination) as temporary:
        temporary.write_text(json.dumps(report.as_json(), ensure_ascii=False, indent=1), encoding="utf-8")


def read_report(path: Path) -> ClipReport:
    """Return what ``write_report`` stored. Raises KeyError for a report of another version."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    checks = [Check.from_json(check) for check in stored["checks"]]
    sentences = [verbatim(sentence) for sentence in stored["warnings"]]
    coded = [Message.from_json(warning) for warning in stored.get("warning_messages", ())]
    names = ClipReport.__dataclass_fields__.keys() - {"checks", "warnings"}
    return ClipReport(
        checks=checks,
        warnings=coded or sentences,
        **{name: stored[name] for name in names if name in stored or name not in _NEWER},
    )


def finished_report(folders: DataFolders, clip: ClipKey) -> ClipReport | None:
    """The report of a clip that is there; None without the clip, the report, or one this version can read."""
    stored = folders.report(clip)
    if folders.files.find(folders.clip(clip)) is None:
        return None
    try:
        return read_report(folders.files.fetch(stored))
    except (FileNotFoundError, *NOT_READABLE):
        return None
