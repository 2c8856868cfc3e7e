"""Having a part of a voice or a presenter's video used, once it is known that the file holds it."""

from pathlib import Path

from heygem_pipeline.clip.sidecar import write_trim
from heygem_pipeline.media.probe import probe_sound
from heygem_pipeline.media.template import Template
from heygem_pipeline.media.trim import Trim
from heygem_pipeline.settings import UploadLimits


def use_part_of_voice(recording: Path, trim: Trim, limits: UploadLimits) -> None:
    """Raises NothingLeft where the recording holds nothing there, and what reading it raises."""
    trim.seconds_of(probe_sound(recording, limits).duration, recording.name)
    write_trim(recording, trim)


def use_part_of_presenter(video: Path, trim: Trim, limits: UploadLimits) -> None:
    """Raises NothingLeft where the video shows nothing there, and what opening it raises."""
    Template.open(video, limits, trim)
    write_trim(video, trim)
