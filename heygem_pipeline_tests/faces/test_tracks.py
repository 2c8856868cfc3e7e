import json
from collections import Counter
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heygem_pipeline.faces.mouth_cover import NOTHING_BEFORE, MouthCover
from heygem_pipeline.faces.tracks import (
    FaceState,
    FaceTracks,
    read_tracks,
    table_to_tracks,
    tracks_to_table,
    write_tracks,
)
from heygem_pipeline.storage.parquet import read_metadata
from heygem_pipeline_tests.faces.shapes import made_face, made_tracks


def wandering(absent: set[int], frames: int) -> FaceTracks:
    random = np.random.default_rng(5)
    faces = np.array([made_face(0.1) * 100 + 400 + random.normal(size=(68, 2)) for _ in range(frames)])
    faces[[index for index in absent if index < frames]] = np.nan
    said = {"other_faces": 2, "cuts": (1, 4), "cover": MouthCover(masked=True, seconds=1.5)}
    return replace(made_tracks(faces), frame_rate=Fraction(30000, 1001), **said)


def assert_equal(one: FaceTracks, other: FaceTracks) -> None:
    for field in fields(FaceTracks):
        before, after = getattr(one, field.name), getattr(other, field.name)
        if isinstance(before, np.ndarray):
            assert before.dtype == after.dtype, field.name
            np.testing.assert_array_equal(before, after, err_msg=field.name)
        else:
            assert before == after, field.name


@settings(deadline=None)
@given(st.sets(st.integers(0, 29)), st.integers(1, 30))
def test_a_table_gives_back_the_same_tracks_bit_for_bit(absent: set[int], frames: int) -> None:
    tracks = wandering(absent, frames)
    assert_equal(tracks, table_to_tracks(tracks_to_table(tracks)))


def test_a_table_of_before_covers_were_looked_at_is_read() -> None:
    table = tracks_to_table(wandering(set(), 3))
    (key,) = table.schema.metadata
    clip = json.loads(table.schema.metadata[key])
    del clip["cover"]
    old = table.replace_schema_metadata({key: json.dumps(clip)})
    assert table_to_tracks(old).cover == NOTHING_BEFORE


def test_a_file_gives_back_tracks_and_metadata(tmp_path: Path) -> None:
    path = tmp_path / "王老师 🎬.parquet"
    tracks = wandering({3, 4, 5, 6, 7, 8, 9, 10}, 30)
    write_tracks(tracks, path, {"fingerprint": "ab12"})
    assert_equal(tracks, read_tracks(path))
    assert read_metadata(path) == {"fingerprint": "ab12"}
    assert list(tmp_path.iterdir()) == [path]


def test_there_is_a_row_a_frame_with_columns_that_speak(tmp_path: Path) -> None:
    path = tmp_path / "tracks.parquet"
    tracks = wandering(set(range(10, 20)), 30)
    write_tracks(tracks, path)
    table = pq.read_table(path)
    assert table.num_rows == 30
    assert Counter(table["state"].to_pylist()) == {"found": 20, "absent": 10}
    assert table["x30"].null_count == 10
    np.testing.assert_allclose(table["time"], np.arange(30) * 1001 / 30000)
    np.testing.assert_array_equal(table["y08"], tracks.landmarks[:, 8, 1])
    assert {"left", "top", "right", "bottom", "yaw", "pitch", "roll", "score"} <= set(table.column_names)


def test_lips_and_blendshapes_have_columns_that_speak(tmp_path: Path) -> None:
    path, tracks = tmp_path / "tracks.parquet", wandering({4}, 12)
    shapes = np.random.default_rng(2).uniform(size=tracks.blendshapes.shape).astype(np.float32)
    shapes[~tracks.present] = np.nan
    write_tracks(replace(tracks, blendshapes=shapes), path)
    table = pq.read_table(path)
    np.testing.assert_array_equal(table["jawOpen"], shapes[:, 0])
    np.testing.assert_array_equal(table["outer_upper_x00"], tracks.lips[:, 0, 0, 0])
    np.testing.assert_array_equal(table["inner_lower_y10"], tracks.lips[:, 3, 10, 1])


def test_filled_frames_stay_marked(tmp_path: Path) -> None:
    tracks = wandering({5, 6}, 12)
    assert (tracks.state[5:7] == FaceState.FILLED).all()
    write_tracks(tracks, tmp_path / "tracks.parquet")
    assert (read_tracks(tmp_path / "tracks.parquet").state == tracks.state).all()


def test_a_table_of_something_else_is_refused() -> None:
    with pytest.raises(KeyError):
        table_to_tracks(pa.table({"frame": [1, 2]}))


def test_tables_of_the_first_schema_are_refused() -> None:
    table = tracks_to_table(wandering(set(), 3))
    clip = json.loads(table.schema.metadata[b".face_tracks"])
    first = table.drop_columns([name for name in table.column_names if "_lower_" in name or "_upper_" in name])
    for schema in ({}, {"schema": 1}):
        metadata = json.dumps({key: value for key, value in clip.items() if key != "schema"} | schema)
        for old in (table, first):
            with pytest.raises(KeyError):
                table_to_tracks(old.replace_schema_metadata({".face_tracks": metadata}))
