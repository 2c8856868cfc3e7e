"""A sentence in a voice, to hear before a script is written: made in a worker process, once, and kept."""

import asyncio
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

from heygem_pipeline.settings import SynthesisSettings
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.studio.first_look import in_limited_time
from heygem_pipeline.studio.first_look_worker import IDLE_SECONDS, Worker
from heygem_pipeline.synthesis.front_matter import FrontMatter
from heygem_pipeline.synthesis.recording import script_version, speak
from heygem_pipeline.synthesis.script import Script
from heygem_pipeline.synthesis.speech_spec import speech_spec

SENTENCES = {
    "ar": "صباح الخير، هذا هو الصوت الذي سيقرأ نصك.",
    "de": "Guten Tag, so klingt die Stimme, die Ihren Text spricht.",
    "en": "Hello, this is the voice that will speak your text.",
    "es": "Buenos días, así suena la voz que leerá su texto.",
    "fr": "Bonjour, voici la voix qui lira votre texte.",
    "hi": "नमस्ते, यह वह आवाज़ है जो आपका पाठ बोलेगी।",
    "it": "Buongiorno, questa è la voce che leggerà il testo.",
    "ja": "こんにちは。この声であなたの文章を読みます。",
    "ko": "안녕하세요. 이 목소리로 글을 읽어 드립니다.",
    "pt": "Bom dia, esta é a voz que vai ler o seu texto.",
    "ru": "Здравствуйте, этим голосом будет прочитан ваш текст.",
    "zh": "您好，您的文字将由这个声音朗读。",
}

MOST_KEPT = 200
"""Samples; the oldest go."""


class VoiceSamples:
    """Samples lie in the store, under what they are made of."""

    def __init__(self, folders: DataFolders, settings: SynthesisSettings) -> None:
        self._folders = folders
        self._settings = settings
        self._turn = asyncio.Lock()
        self._worker: Worker | None = None
        self._ending: asyncio.TimerHandle | None = None

    async def make(self, engine: str, voice: str, language: str) -> str:
        """Return the name of a sample, made now where there is none. Raises PipelineError where it cannot be spoken."""
        run = asyncio.get_running_loop().run_in_executor
        script = _script(engine, voice, language)
        spec = await run(None, speech_spec, script, self._settings)
        name = await run(None, script_version, script, spec)
        async with self._turn:
            if not self._folders.voice_sample(name).exists():
                await self._speak(script, self._folders.voice_sample(name))
        return name

    async def _speak(self, script: Script, destination: Path) -> None:
        if self._ending is not None:
            self._ending.cancel()
        worker = self._worker = self._worker or Worker()
        work = partial(_speak, script, self._settings, destination)
        try:
            await asyncio.get_running_loop().run_in_executor(worker.executor, in_limited_time, work)
        except (BrokenProcessPool, asyncio.CancelledError):
            # It took too long, or nobody waits any more.
            self.end()
            raise
        finally:
            self._ending = asyncio.get_running_loop().call_later(IDLE_SECONDS, self.end)

    def end(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.end()
            self._worker = None


def _script(engine: str, voice: str, language: str) -> Script:
    sentence = SENTENCES.get(language.partition("-")[0].lower(), SENTENCES["en"])
    return Script("sample", ((sentence,),), FrontMatter(language or None, engine or None, voice or None))


def _speak(script: Script, settings: SynthesisSettings, destination: Path) -> None:
    """In the worker."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    kept = sorted(destination.parent.glob("*.wav"), key=lambda path: path.stat().st_mtime)
    for old in kept[: max(0, len(kept) + 1 - MOST_KEPT)]:
        old.unlink(missing_ok=True)
    speak(script, speech_spec(script, settings), destination)
