"""The presenters whose clips are measured."""

from heygem_pipeline_tests.lipsync.conftest import closed_lips, smile, speaker

__all__ = ["closed_lips", "smile", "speaker"]
