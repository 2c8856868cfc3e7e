"""What is there already and up to date: nothing is made twice."""

from pathlib import Path

from heygem_pipeline.clip.presenter import current_tracker
from heygem_pipeline.lipsync.engines import load_engine
from heygem_pipeline.media.fingerprint import fingerprint
from heygem_pipeline.quality.report import ClipReport, finished_report, mark_settings
from heygem_pipeline.settings import settings
from heygem_pipeline.storage.folders import DataFolders
from heygem_pipeline.storage.metadata import read_metadata


def voice_is_current(folders: DataFolders, audio: str, upload: Path) -> bool:
    """Are the stored features those of this very file?"""
    stored = folders.voice(audio)
    return stored.exists() and read_metadata(stored)["fingerprint"] == fingerprint(upload)


def presenter_is_current(folders: DataFolders, template: str, upload: Path) -> bool:
    """Are the stored tracks those of this very file, by the tracker of the settings?"""
    stored = folders.tracks(template)
    if not stored.exists():
        return False
    known = read_metadata(stored)
    return known["fingerprint"] == fingerprint(upload) and known["tracker"] == current_tracker()


def current_report(folders: DataFolders, audio: str, template: str, voice: Path, presenter: Path) -> ClipReport | None:
    """The report of the finished clip, if it was made of these very files with the settings as they are now."""
    report = finished_report(folders, audio, template)
    if report is None:
        return None
    engine = load_engine(settings().engine)
    made_of = (report.audio_fingerprint, report.template_fingerprint, report.engine, report.engine_version)
    wanted = (fingerprint(voice), fingerprint(presenter), engine.name, engine.version)
    same_settings = (report.tracker, report.marked_as) == (current_tracker(), mark_settings())
    return report if made_of == wanted and same_settings else None
