"""The two recordings the demo speaks with; ``voices/README.md`` says where they come from."""

from importlib.resources import files
from pathlib import Path

from heygem_pipeline.storage.atomic import atomic_path

RECORDINGS = ("english.ogg", "chinese.ogg")
"""Synthetic speech of 7 to 8 s, Ogg Opus, mono, with a pause of 0.6 s in the middle."""


def copy_recordings(folder: Path) -> list[Path]:
    """Write the recordings into ``folder``, where files of their names are not there yet; return their paths.

    Raises DiskFull.
    """
    copies = []
    for name in RECORDINGS:
        copies.append(folder / name)
        if copies[-1].exists():
            continue
        with atomic_path(copies[-1]) as temporary:
            temporary.write_bytes(files("heygem_pipeline.demo").joinpath("voices", name).read_bytes())
    return copies
