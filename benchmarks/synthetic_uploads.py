"""Uploads by the thousand for what reads their names and fingerprints only, and the version of clips made of them."""

from heygem_pipeline.clip.presenter import current_tracker
from heygem_pipeline.lipsync.engine_registry import load_engine
from heygem_pipeline.quality.report import settings_of_report
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.paths import DataFolders
from heygem_pipeline.storage.version_strings import rendering_version
from heygem_pipeline.uploads.registry import Upload, UploadKind, Uploads


def make_up(folders: DataFolders, voices: int, presenters: int) -> tuple[dict[str, Upload], dict[str, Upload]]:
    """Write so many files without sound or picture and take them in. Returns voices and presenters by key."""
    for number in range(voices):
        (folders.voices / f"voice {number}.wav").write_bytes(b"voice %d" % number)
    for number in range(presenters):
        (folders.presenters / f"presenter {number}.mp4").write_bytes(b"presenter %d" % number)
    uploads = Uploads(folders)
    for kind in UploadKind:
        uploads.take_in(kind)
    return uploads.known(UploadKind.VOICE), uploads.known(UploadKind.PRESENTER)


def usual_rendering() -> str:
    """Return how clips are made where nobody asks for anything else, as their version tells it."""
    chosen = settings()
    engine = load_engine(chosen.engine, chosen)
    return rendering_version(current_tracker(chosen), f"{engine.name} {engine.version}", settings_of_report(chosen))
