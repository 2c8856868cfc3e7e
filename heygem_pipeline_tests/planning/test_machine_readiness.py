"""What presenters are tracked with, where their sidecars cannot be understood."""

from pathlib import Path

import pytest

from heygem_pipeline.planning.machine_readiness import lack_of_weights, tracker_of
from heygem_pipeline.settings import DEFAULTS


def test_a_wrong_sidecar_counts_as_another_tracker_whatever_the_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, sidecar = tmp_path / "anna.mp4", tmp_path / "anna.yaml"
    usual = tracker_of(upload, DEFAULTS)
    sidecar.write_text("tracker: magic")
    magic = tracker_of(upload, DEFAULTS)
    monkeypatch.setattr("heygem_pipeline.messages.message.sentences", lambda _language: {})
    assert tracker_of(upload, DEFAULTS) == magic != usual
    assert lack_of_weights(magic, DEFAULTS) is None
    sidecar.write_text("tracker: wonder")
    assert tracker_of(upload, DEFAULTS) not in (magic, usual)
