"""What presenters are tracked with, where their sidecars cannot be understood."""

from pathlib import Path

import pytest

from heygem_pipeline.planning.machine_readiness import lack_of_weights, tracking_of
from heygem_pipeline.settings import DEFAULTS


def test_a_wrong_sidecar_counts_as_another_tracker_whatever_the_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, sidecar = tmp_path / "anna.mp4", tmp_path / "anna.yaml"
    usual = tracking_of(upload, DEFAULTS).tracker
    sidecar.write_text("tracker: magic")
    magic = tracking_of(upload, DEFAULTS).tracker
    monkeypatch.setattr("heygem_pipeline.messages.message.sentences", lambda _language: {})
    assert tracking_of(upload, DEFAULTS).tracker == magic != usual
    assert lack_of_weights(magic, DEFAULTS) is None
    sidecar.write_text("tracker: wonder")
    assert tracking_of(upload, DEFAULTS).tracker not in (magic, usual)
