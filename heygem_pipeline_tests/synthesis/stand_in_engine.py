"""What engines of tests have in common: any voice in any language, always ready."""

from collections.abc import Sequence

from heygem_pipeline.synthesis.synthesizer import EngineVoice


class StandInEngine:
    def voices(self) -> Sequence[EngineVoice]:
        return []

    def choose_voice(self, voice: str, language: str) -> str:
        return voice

    def require_ready(self, voice: str) -> None:
        pass
