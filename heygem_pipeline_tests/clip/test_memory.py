"""Memory does not grow with the length of a clip."""

import subprocess
import sys
from pathlib import Path

import pytest

from heygem_pipeline_tests.conftest import swaying_presenter, write_video, write_voice

MEASURED = """
import resource, sys
from pathlib import Path
from heygem_pipeline.clip.generate import generate_clip
generate_clip(*map(Path, sys.argv[1:4]))
assert not {"scipy", "librosa", "torch"} & set(sys.modules), "a clip loads what takes a second to load"
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def peak_megabytes(voice: Path, presenter: Path, output: Path) -> int:
    command = [sys.executable, "-c", MEASURED, voice, presenter, output]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout)


@pytest.mark.long
def test_a_tenfold_longer_clip_takes_no_more_memory(tmp_path: Path) -> None:
    write_video(tmp_path / "presenter.mp4", swaying_presenter(12), 10)
    write_voice(tmp_path / "short.wav", 2.5)
    write_voice(tmp_path / "long.wav", 25)
    short = peak_megabytes(tmp_path / "short.wav", tmp_path / "presenter.mp4", tmp_path / "short.mp4")
    long = peak_megabytes(tmp_path / "long.wav", tmp_path / "presenter.mp4", tmp_path / "long.mp4")
    frames_held = 25 * 10 * 400 * 480 * 3 / 2**20
    assert long - short < frames_held / 3
