"""What is written is what is read."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.speech.features import (
    MOVEMENTS,
    KnownClosure,
    SpeechFeatures,
    features_to_table,
    read_features,
    table_to_features,
    write_features,
)
from heygem_pipeline.storage.parquet import read_metadata


def some_features(rows: int, seed: int, duration: Fraction) -> SpeechFeatures:
    chance = np.random.default_rng(seed)
    return SpeechFeatures(
        duration,
        chance.uniform(-4, 4, (rows, 80)).astype(np.float32),
        chance.uniform(-100, 0, rows).astype(np.float32),
        chance.uniform(0, 1, rows).astype(np.float32),
        chance.normal(0, 1, (rows, len(MOVEMENTS))).astype(np.float32),
    )


def assert_same(first: SpeechFeatures, second: SpeechFeatures) -> None:
    assert (first.duration, first.closures) == (second.duration, second.closures)
    for name in ("log_mel", "level", "activity", "movement"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), strict=True)


@settings(deadline=None)
@given(rows=st.integers(0, 40), seed=st.integers(0, 9), duration=st.fractions(0, 1800))
def test_a_table_gives_the_features_back_bit_for_bit(rows: int, seed: int, duration: Fraction) -> None:
    features = some_features(rows, seed, duration)
    assert_same(table_to_features(features_to_table(features)), features)


def test_a_file_keeps_the_features_and_what_is_said_of_them(tmp_path: Path) -> None:
    features, path = some_features(81, 0, Fraction(44099, 44100)), tmp_path / "声音.parquet"
    write_features(features, path, {"fingerprint": "abc", "来源": "课程"})
    assert_same(read_features(path), features)
    assert read_metadata(path) == {"fingerprint": "abc", "来源": "课程"}
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("closures", [(), (KnownClosure(0.25, 0.325), KnownClosure(0.5, 0.6, touching=False))])
def test_closures_that_are_known_are_kept(closures: tuple[KnownClosure, ...], tmp_path: Path) -> None:
    features = replace(some_features(81, 0, Fraction(1)), closures=closures)
    write_features(features, tmp_path / "voice.parquet", {"fingerprint": "abc"})
    assert read_features(tmp_path / "voice.parquet").closures == closures
    assert read_metadata(tmp_path / "voice.parquet") == {"fingerprint": "abc"}


def test_a_row_is_found_by_its_time() -> None:
    table = features_to_table(some_features(81, 0, Fraction(1)))
    assert table["time"].to_pylist()[40] == 0.5
    assert table.column_names[:3] == ["time", "mel_00", "mel_01"]


def test_a_table_of_something_else_is_not_taken_for_speech() -> None:
    with pytest.raises(KeyError):
        table_to_features(pa.table({"time": [0.0]}))


def test_neither_is_a_table_of_a_version_that_kept_no_movement() -> None:
    table = features_to_table(some_features(81, 0, Fraction(1)))
    kept = [name for name in table.column_names if not name.startswith("mouth_")]
    with pytest.raises(KeyError):
        table_to_features(table.select(kept))
