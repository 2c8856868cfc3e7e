"""The settings: what they are called, and what data folders keep of them."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from heygem_pipeline.settings import (
    DECISIVE,
    DEFAULTS,
    NEWER_DECISIVE,
    ClipSettings,
    ClusterSettings,
    DagsterPageSettings,
    KeepSettings,
    LaunchSettings,
    Settings,
    StudioSettings,
    SynthesisSettings,
    SyntheticLabel,
    WeightSettings,
    settings,
)

STORED = (
    '{"crf":18,"preset":"veryfast","audio_bitrate":"192k","label":"start","content_producer":"大学\\"x",'
    '"content_propagator":"","propagate_id":"","checkpoints":"checkpoints","ffmpeg":null,"encoder":"x264",'
    '"engine":"warp","tracker":"dlib","device":"auto","wav2lip_lead_seconds":0.12,"wav2lip_sharpening":0.0,'
    '"acknowledged_licences":["wav2lip","b"],"downloads":true,"max_frame_rate":60,"max_minutes":30.0,'
    '"long_minutes":5.0,"max_width":4096,"max_height":2304,"good_height":720,"min_speech_seconds":0.5,'
    '"min_face_pixels":64,"min_face_share":0.5,"max_yaw_degrees":30.0,"sync_tolerance_frames":3.0}'
)
"""As the first data folders have it: of its digest is made what runs of theirs have tried."""


def test_what_data_folders_keep_a_digest_of_stays_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEYGEM_CONTENT_PRODUCER", '大学"x')
    monkeypatch.setenv("HEYGEM_ACKNOWLEDGED_LICENCES", "wav2lip, b")
    monkeypatch.setenv("HEYGEM_TRACKER", "dlib")
    monkeypatch.setenv("HEYGEM_MAX_YAW_DEGREES", "30")
    assert Settings().decisive == STORED  # pyright: ignore[reportCallIssue]


NUMBERS = [name for name, field in Settings.model_fields.items() if field.annotation in (int, float, float | None)]


@pytest.mark.parametrize("name", NUMBERS)
def test_no_number_that_makes_no_sense_is_taken(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("nan", "inf", "-inf", "-1", "1e999"):
        monkeypatch.setenv(f"HEYGEM_{name.upper()}", value)
        with pytest.raises(ValidationError, match=name):
            Settings()  # pyright: ignore[reportCallIssue]


def test_every_setting_is_decisive_or_changes_no_clip() -> None:
    others = {"data", *KeepSettings.model_fields, *StudioSettings.model_fields, *LaunchSettings.model_fields}
    others |= DagsterPageSettings.model_fields.keys()
    others |= ClusterSettings.model_fields.keys()
    others |= SynthesisSettings.model_fields.keys() - WeightSettings.model_fields.keys()
    others |= {"subtitles", "subtitle_font", "loudness"}  # Of clips that they concern, the recipe tells.
    others |= {"photographs_move"}  # Of photographs that are there, their sidecars tell.
    others |= {*NEWER_DECISIVE}  # Decisive where they are set: the test below.
    assert {*DECISIVE, *others} == Settings.model_fields.keys()
    assert not others & {*DECISIVE}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("program", Path("own.yaml")),
        ("musetalk_lead_seconds", 0.04),
        ("musetalk_steadying", 0.5),
        ("musetalk_precision", "float32"),
    ],
)
def test_a_newer_setting_is_decisive_where_it_is_set_and_older_digests_hold(name: str, value: object) -> None:
    assert name in NEWER_DECISIVE and name not in json.loads(DEFAULTS.decisive)
    chosen = DEFAULTS.model_copy(update={name: value})
    told = str(value) if isinstance(value, Path) else value
    assert json.loads(chosen.decisive) == json.loads(DEFAULTS.decisive) | {name: told}


def test_defaults_hold_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HEYGEM_{name.upper()}", raising=False)
    assert Settings() == DEFAULTS  # pyright: ignore[reportCallIssue]
    monkeypatch.setenv("HEYGEM_CRF", "30")
    settings.cache_clear()
    assert settings().crf == 30 != DEFAULTS.crf
    settings.cache_clear()


def test_a_clip_has_its_own_settings_and_the_machines() -> None:
    own = ClipSettings(crf=30, label=SyntheticLabel.ALWAYS)
    made_with = DEFAULTS.with_clip(own)
    assert made_with.of_clip == own
    assert made_with.model_dump(exclude={"crf", "label"}) == DEFAULTS.model_dump(exclude={"crf", "label"})
