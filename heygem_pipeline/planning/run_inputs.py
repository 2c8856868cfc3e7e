"""What runs would be made of now: the renderings of clips, and all inputs as a digest."""

from collections.abc import Mapping, Set
from dataclasses import dataclass

from heygem_pipeline.campaigns.campaign import Campaign
from heygem_pipeline.campaigns.campaigns_folder import render_spec_of
from heygem_pipeline.clip.render_spec import default_render_spec
from heygem_pipeline.messages.message import Message
from heygem_pipeline.planning.machine_readiness import engine_of
from heygem_pipeline.quality.report import settings_of_report
from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.storage.fingerprint import text_digest
from heygem_pipeline.storage.version_strings import rendering_version, voiceless_version
from heygem_pipeline.uploads.registry import Upload

DIGITS = 16
"""Of the digests; stored with runs."""


@dataclass(frozen=True)
class Rendering:
    """How a clip is made: the engine and settings of the campaigns that want it, and its presenter's tracker.

    Attributes:
        version: as ``clip_version`` takes it; where its engine cannot work, one that nothing was made with yet.
        lack: what keeps its engine from working on this machine.
    """

    version: str
    lack: Message | None


@dataclass(frozen=True)
class ClipsWithoutVoice:
    """What is known of a voice's clips before the voice is looked at; both by presenter.

    Attributes:
        versions: as ``clip_versions`` takes them.
        lacks: of the clips whose engine cannot work on this machine.
    """

    versions: Mapping[str, str]
    lacks: Mapping[str, Message]


class RunInputs:
    """While the digest of its inputs is the same, a run that failed would fail again.

    Args:
        trackers: of each presenter, by name and version.
        anyway: presenters whose turned heads are taken no notice of.
        texts: versions of what voices say, where that is known.
        voice_parts: of the voices that are not used as a whole.
    """

    def __init__(
        self,
        voices: Mapping[str, Upload],
        presenters: Mapping[str, Upload],
        trackers: Mapping[str, str],
        anyway: Set[str],
        settings: Settings,
        texts: Mapping[str, str],
        voice_parts: Mapping[str, str],
    ) -> None:
        self._voices = voices
        self._presenters = presenters
        self._trackers = trackers
        self._anyway = anyway
        self._settings = settings
        self._texts = texts
        self._voice_parts = voice_parts
        self._chosen = text_digest(settings.decisive, DIGITS)
        # Each with that whose id is told: what is gone may leave its id to others.
        self._renderings: dict[tuple[int, str, str, str], tuple[Rendering, tuple[Campaign, ...]]] = {}
        self._without_voice: dict[
            tuple[int, str, str], tuple[ClipsWithoutVoice, Mapping[str, tuple[Campaign, ...]]]
        ] = {}
        self._of_voices: dict[str, str] = {}
        self._of_presenters: dict[str, str] = {}

    def newest_upload(self, clip: ClipKey) -> float:
        """POSIX time when the newer of its two uploads was first seen."""
        return max(self._voices[clip.voice].since, self._presenters[clip.presenter].since)

    def of_voice(self, key: str) -> str:
        """The digest of its analysis."""
        if key not in self._of_voices:
            part = f" {self._voice_parts[key]}" if key in self._voice_parts else ""
            made_of = f"{self._voices[key].fingerprint}{part} {self._chosen}"
            self._of_voices[key] = text_digest(made_of, DIGITS)
        return self._of_voices[key]

    def of_presenter(self, key: str) -> str:
        """The digest of its tracking."""
        if key not in self._of_presenters:
            handled = f"{self._trackers[key]} anyway" if key in self._anyway else self._trackers[key]
            made_of = f"{self._presenters[key].fingerprint} {handled} {self._chosen}"
            self._of_presenters[key] = text_digest(made_of, DIGITS)
        return self._of_presenters[key]

    def of_clip(self, clip: ClipKey, wanting: tuple[Campaign, ...]) -> str:
        """The digest of its making.

        Args:
            wanting: the campaigns that want it.
        """
        rendering = self.rendering(clip.voice, clip.presenter, wanting)
        return text_digest(
            f"{self.of_voice(clip.voice)} {self.of_presenter(clip.presenter)} {rendering.version}", DIGITS
        )

    def without_voice(self, voice: str, row: Mapping[str, tuple[Campaign, ...]]) -> ClipsWithoutVoice:
        """Of all clips of a voice: worked out once for all voices of which the same is wanted alike.

        Args:
            row: presenter -> the campaigns that want the clip.
        """
        which = id(row), *self._said(voice)
        if which not in self._without_voice:
            renderings = {presenter: self.rendering(voice, presenter, wanting) for presenter, wanting in row.items()}
            versions = {
                presenter: voiceless_version(self._presenters[presenter].fingerprint, rendering.version)
                for presenter, rendering in renderings.items()
            }
            lacks = {presenter: one.lack for presenter, one in renderings.items() if one.lack is not None}
            self._without_voice[which] = ClipsWithoutVoice(versions, lacks), row
        return self._without_voice[which][0]

    def rendering(self, voice: str, presenter: str, wanting: tuple[Campaign, ...]) -> Rendering:
        """Of a clip with this presenter: worked out once for all that the same campaigns want alike."""
        tracker, said = self._trackers[presenter], self._said(voice)
        which = id(wanting), tracker, *said
        if which not in self._renderings:
            self._renderings[which] = self._work_out(tracker, *said, wanting), wanting
        return self._renderings[which][0]

    def _said(self, voice: str) -> tuple[str, str]:
        """The version of a voice's text, and the part of it that is used; "" without a text, or of the whole."""
        return self._texts.get(voice, ""), self._voice_parts.get(voice, "")

    def _work_out(self, tracker: str, text: str, part: str, wanting: tuple[Campaign, ...]) -> Rendering:
        spec = render_spec_of(wanting, default_render_spec(self._settings))
        engine, lack = engine_of(spec.engine, self._settings)
        return Rendering(rendering_version(tracker, engine, settings_of_report(spec.settings, text, part)), lack)
