"""What a run would be made of now, as a digest: while that is the same, what failed would fail again."""

import hashlib
from collections.abc import Mapping

from heygem_pipeline.settings import Settings
from heygem_pipeline.storage.clip_key import ClipKey
from heygem_pipeline.uploads.registry import Upload


class RunInputs:
    """Of runs for uploads and clips. handled: how each presenter is, by its tracker and its sidecar."""

    def __init__(
        self,
        voices: Mapping[str, Upload],
        presenters: Mapping[str, Upload],
        handled: Mapping[str, str],
        settings: Settings,
    ) -> None:
        self._voices = voices
        self._presenters = presenters
        self._handled = handled
        self._settings = _digest(settings.decisive)

    def of_voice(self, key: str) -> str:
        """Of its analysis."""
        return _digest(f"{self._voices[key].fingerprint} {self._settings}")

    def of_presenter(self, key: str) -> str:
        """Of its tracking."""
        return _digest(f"{self._presenters[key].fingerprint} {self._handled[key]} {self._settings}")

    def of_clip(self, clip: ClipKey, recipe: str) -> str:
        """Of its making."""
        return _digest(f"{self.of_voice(clip.voice)} {self.of_presenter(clip.presenter)} {recipe}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
