"""The ffmpeg program that encodes, and one run of it that is fed frames."""

import os
import shutil
import subprocess
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from threading import Thread
from typing import IO, Self

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.errors import FfmpegMissing


def find_ffmpeg(configured: Path | None = None) -> Path:
    """Return the configured program; without one the system's or imageio-ffmpeg's, the first that encodes H.264.

    Raises FfmpegMissing.
    """
    if configured is not None:
        found = shutil.which(configured)
        if found is None or not _encodes_h264(found):
            raise FfmpegMissing("ffmpeg.unusable", program=str(configured))
        return Path(found)
    for candidate in (shutil.which("ffmpeg"), _bundled()):
        if candidate is not None and _encodes_h264(candidate):
            return Path(candidate)
    raise FfmpegMissing("ffmpeg.missing")


class SoundInput:
    """Samples that ffmpeg reads from a pipe beside its ``stdin``, as float32; they are made in a thread of their own.

    Attributes:
        url: the input's name on ffmpeg's command line.
        failure: what ended the samples early; the reader sees only an end.
    """

    def __init__(self, samples: Iterator[NDArray[np.float32]]) -> None:
        self._samples = samples
        self.read_end, self._write_end = os.pipe()
        self.url = f"pipe:{self.read_end}"
        self.failure: Exception | None = None
        self._writer = Thread(target=self._write, daemon=True)
        self._started = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._started:
            os.close(self.read_end)
            os.close(self._write_end)

    def start(self) -> None:
        """Begin, once ffmpeg holds the pipe."""
        self._started = True
        os.close(self.read_end)
        self._writer.start()

    def finish(self) -> None:
        """Wait until all is read, or ffmpeg has ended."""
        self._writer.join()

    def _write(self) -> None:
        try:
            with os.fdopen(self._write_end, "wb") as pipe:
                for samples in self._samples:
                    pipe.write(np.ascontiguousarray(samples, "<f4").data)
        except BrokenPipeError:
            pass
        except Exception as error:
            self.failure = error


class FfmpegRun:
    """A running ffmpeg that reads from ``stdin``; its messages are collected meanwhile, so that it never blocks."""

    def __init__(self, arguments: list[str], sound: SoundInput | None = None) -> None:
        # A process group of its own: Ctrl-C reaches us alone, and we end the child.
        self._process = subprocess.Popen(
            arguments,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            process_group=0,
            pass_fds=() if sound is None else (sound.read_end,),
        )
        self._sound = sound
        if sound is not None:
            sound.start()
        assert self._process.stdin is not None and self._process.stderr is not None
        self.stdin: IO[bytes] = self._process.stdin
        self._messages: deque[str] = deque(maxlen=20)
        self._reader = Thread(target=self._collect, args=(self._process.stderr,), daemon=True)
        self._reader.start()

    @property
    def messages(self) -> str:
        """The last lines of ffmpeg's stderr."""
        return "\n".join(self._messages)

    def finish(self) -> int:
        """Say that there are no more frames, wait, and return the exit status."""
        with suppress(BrokenPipeError):
            self.stdin.close()
        status = self._process.wait()
        self._reader.join()
        if self._sound is not None:
            self._sound.finish()
        return status

    def kill(self) -> None:
        """End the program if it still runs, and release what belongs to it."""
        self._process.kill()
        self.finish()

    def _collect(self, stderr: IO[bytes]) -> None:
        with stderr:
            for line in stderr:
                self._messages.append(line.decode(errors="replace").strip())


@contextmanager
def running(arguments: list[str], sound: SoundInput | None = None) -> Iterator[FfmpegRun]:
    """Run ffmpeg for the length of the block; it does not outlive it, however the block ends."""
    run = FfmpegRun(arguments, sound)
    try:
        yield run
    finally:
        run.kill()


def _bundled() -> str | None:
    import imageio_ffmpeg

    try:
        return imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError:
        return None


@cache
def _encodes_h264(program: str) -> bool:
    """Encode one frame: ffmpeg's exit status says whether it can."""
    side = 16
    frame = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", f"{side}x{side}", "-i", "pipe:0"]
    command = [program, "-hide_banner", "-loglevel", "error", *frame, "-c:v", "libx264", "-f", "null", "-"]
    try:
        tried = subprocess.run(command, input=bytes(side * side * 3 // 2), capture_output=True, timeout=60, check=False)
    except OSError:
        return False
    return tried.returncode == 0
