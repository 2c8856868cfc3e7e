"""The commands ``heygem speak`` and ``heygem voices``: from a script to a recording."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from heygem_pipeline.cli.terminal import StageBars, messages, output, sentences, tell
from heygem_pipeline.errors import OutputRefused, PipelineError
from heygem_pipeline.settings import settings

if TYPE_CHECKING:
    from heygem_pipeline.synthesis.synthesizer import SpeechSynthesizer

app = typer.Typer()


@app.command()
def speak(
    script: Annotated[Path, typer.Option(help="The script: a txt, md, srt or vtt file")],
    output_file: Annotated[Path, typer.Option("--output", help="The WAV to write; its text and times lie beside it")],
    engine: Annotated[str | None, typer.Option(help="Speech engine, where the script names none")] = None,
    voice: Annotated[str | None, typer.Option(help="Voice of that engine, where the script names none")] = None,
    language: Annotated[str | None, typer.Option(help="Language, where the script tells none: de, pt-BR ...")] = None,
    speed: Annotated[
        float | None, typer.Option(min=0.5, max=2.0, help="Speed, where the script names none; 1 is the voice's own")
    ] = None,
) -> None:
    """Speak a script into a WAV file, with its text and times (.json) and subtitles (.vtt) beside it."""
    from heygem_pipeline.synthesis.front_matter import FrontMatter
    from heygem_pipeline.synthesis.recording import speak as speak_script
    from heygem_pipeline.synthesis.script import read_script
    from heygem_pipeline.synthesis.speech_spec import speech_spec
    from heygem_pipeline.synthesis.transcript import write_subtitles, write_transcript

    chosen = settings()
    with sentences(), StageBars(messages) as bars:
        if output_file.suffix.lower() != ".wav":
            raise OutputRefused("speak.other_ending", file=output_file.name)
        read = read_script(script, chosen)
        spec = speech_spec(read, chosen, FrontMatter(language, engine, voice, speed))
        transcript = speak_script(
            read, spec, output_file, lambda done, total: bars.show("speaking", script.name, done, total)
        )
        write_transcript(transcript, output_file.with_suffix(".json"))
        write_subtitles(transcript, output_file.with_suffix(".vtt"))
    output.print(
        Text(
            f"{output_file}: {read.words} words, {transcript.sentences[-1].end:.1f} s, "
            f"by {transcript.engine} {transcript.engine_version}, voice {transcript.voice}"
        ),
        soft_wrap=True,
    )


@app.command()
def voices() -> None:
    """List the speech engines, the voices that each knows, and what each lacks."""
    from heygem_pipeline.synthesis.synthesizer_registry import SYNTHESIZERS, load_synthesizer

    chosen = settings()
    with sentences():
        for name in sorted(SYNTHESIZERS):
            usual = " (for scripts that name none)" if name == chosen.speech_engine else ""
            output.print(Text(f"\n{name}{usual}", "bold"))
            try:
                engine = load_synthesizer(name, chosen)
                _say_voices(engine)
            except PipelineError as error:
                tell(str(error))


def _say_voices(engine: "SpeechSynthesizer") -> None:
    table = Table("voice", "language", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    known = engine.voices()
    for voice in known:
        table.add_row(voice.name, voice.language or "any that the server speaks")
    if known:
        output.print(table)
    # One voice of each language: what is missing is missing for all of them.
    tried = {voice.language: voice.name for voice in known}.values() or ("",)
    for reason in dict.fromkeys(reason for voice in tried if (reason := _lack(engine, voice)) is not None):
        tell(reason)


def _lack(engine: "SpeechSynthesizer", voice: str) -> str | None:
    """What keeps a voice from speaking on this machine; None where nothing does."""
    try:
        engine.require_ready(voice)
    except PipelineError as error:
        return str(error)
    return None
