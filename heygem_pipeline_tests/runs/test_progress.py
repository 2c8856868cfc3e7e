"""How far a run is, as a file tells."""

from heygem_pipeline.runs.progress import Progress, read_progress, remove_progress, seconds_for_rest, write_progress
from heygem_pipeline.runs.stages import Stage
from heygem_pipeline.storage.paths import DataFolders

QUARTER = Progress("generated_frames", 225, 900, started=1000.0, at=1010.0)


def test_share_speed_and_time_left() -> None:
    assert (QUARTER.share, QUARTER.speed, QUARTER.step_seconds_left) == (0.25, 22.5, 30.0)
    assert str(QUARTER) == "225 of 900 frames, 22.5 frames/s, 30 s left"


def test_before_the_first_frame_nobody_can_tell() -> None:
    begun = Progress("face_tracks", 0, 900, 1000.0, 1000.0)
    assert (begun.share, begun.speed, begun.step_seconds_left) == (0.0, 0.0, None)
    assert Progress("face_tracks", 0, 0, 1000.0, 1001.0).step_seconds_left is None


def test_a_clip_is_drawn_and_then_encoded() -> None:
    encoding = Progress("encoded_video", 225, 900, 1000.0, 1010.0)
    assert (QUARTER.share_of_run(Stage.CLIP), encoding.share_of_run(Stage.CLIP)) == (0.125, 0.625)
    assert QUARTER.share_of_run(Stage.PRESENTER) == 0.25


def test_what_is_left_takes_as_long_as_what_is_done() -> None:
    assert seconds_for_rest(0.5, 12.0) == 12.0
    assert seconds_for_rest(1.0, 12.0) == 0.0


def test_it_is_read_as_it_was_written_until_the_step_ends(data: DataFolders) -> None:
    assert read_progress(data, "run") is None
    write_progress(data, "run", QUARTER)
    assert read_progress(data, "run") == QUARTER
    (data.state / "progress" / "run.json").write_text('{"half": ')
    assert read_progress(data, "run") is None
    remove_progress(data, "run")
    assert data.progress_marks == []


def test_a_disk_that_is_away_keeps_no_step_from_working(data: DataFolders) -> None:
    data.state.mkdir(parents=True, exist_ok=True)
    (data.state / "progress").write_text("no folder")
    write_progress(data, "run", QUARTER)
    remove_progress(data, "run")
