"""The H.264 encoder of a clip, its preset and its quality, as ffmpeg's options."""

import subprocess
from functools import cache
from pathlib import Path

from heygem_pipeline.errors import EncoderMissing
from heygem_pipeline.media.ffmpeg_program import find_ffmpeg
from heygem_pipeline.messages.message import Message
from heygem_pipeline.settings import Encoder, RenderSettings


def encoder_options(made_with: RenderSettings) -> dict[str, str | int]:
    """Return ffmpeg's options of the encoder that is set. Raises EncoderMissing, FfmpegMissing.

    NVENC takes the same number for its constant quality; its p5 is the preset ffmpeg calls "slow (good quality)".
    """
    if made_with.encoder is Encoder.X264:
        return {"c:v": "libx264", "crf": made_with.crf, "preset": made_with.preset}
    _require_nvenc(find_ffmpeg(made_with.ffmpeg))
    return {"c:v": "h264_nvenc", "preset": "p5", "rc": "vbr", "cq": made_with.crf, "b:v": 0}


@cache
def _require_nvenc(program: Path) -> None:
    """Encode a few frames: only that shows whether ffmpeg, the driver and the card all can."""
    picture = ["-f", "lavfi", "-i", "color=size=256x256:duration=0.2"]
    command = [program, "-hide_banner", "-loglevel", "error", *picture, "-c:v", "h264_nvenc", "-f", "null", "-"]
    tried = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
    if tried.returncode:
        # Without the address in memory that ffmpeg puts before what it says.
        said = next((line.partition("] ")[2] or line for line in tried.stderr.splitlines()), None)
        raise EncoderMissing("encoder.nvenc_unusable", reason=said or Message("encoder.no_reason"))
