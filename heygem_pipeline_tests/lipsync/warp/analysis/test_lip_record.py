"""What was seen of a presenter's lips is read again, and nobody sees it in the clip."""

import os
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from heygem_pipeline.faces.tracks import TrackedUpload
from heygem_pipeline.lipsync.contract.material import HeldPresenter
from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.lipsync.warp.analysis import observation
from heygem_pipeline.lipsync.warp.analysis.lip_edges import LipEdges, SeenLips
from heygem_pipeline.lipsync.warp.analysis.lip_record import ROW, LipRecord
from heygem_pipeline_tests.lipsync.warp.presenter import asking_for, patches, speech_of

OPENING = np.linspace(0, 1, 7)
ROOM = 10**9


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many frames' lips were looked for, one number each time."""
    counts: list[int] = []
    look = observation.detect_lip_edges

    def counted(lips: Sequence[SeenLips], before: LipEdges | None) -> list[LipEdges]:
        counts.append(len(lips))
        return look(lips, before)

    monkeypatch.setattr(observation, "detect_lip_edges", counted)
    return counts


def keeping(presenter: HeldPresenter, path: Path, fingerprint: str = "a", room: int = ROOM) -> HeldPresenter:
    upload = TrackedUpload(fingerprint, "mesh 1", path.with_suffix(".latents"), room, path)
    return HeldPresenter(presenter.pictures, replace(presenter.tracks, upload=upload))


def are_the_same(one: list[MouthPatch], other: list[MouthPatch]) -> bool:
    return len(one) == len(other) and all(
        (a.left, a.top, a.own_mouth) == (b.left, b.top, b.own_mouth)
        and (a.pixels is b.pixels if a.pixels is None or b.pixels is None else np.array_equal(a.pixels, b.pixels))
        for a, b in zip(one, other, strict=True)
    )


def test_a_second_voice_looks_for_no_lips_and_gets_the_same_clip_bit_for_bit(
    closed_lips: HeldPresenter, tmp_path: Path, looked_at: list[int]
) -> None:
    """Also one that is longer, played back and forward again, with a cut and frames without a face."""
    cut = HeldPresenter(closed_lips.pictures, replace(closed_lips.tracks, cuts=(5,))).without_face(8)
    kept = keeping(cut, tmp_path / "one.lips")
    short, long = 18, 2 * len(cut.pictures) + 7
    first = patches(asking_for(OPENING), kept, short)
    in_short = sum(looked_at)
    looked_at.clear()
    assert are_the_same(first, patches(asking_for(OPENING), kept, short))
    assert in_short > 0 and not looked_at
    plain = patches(asking_for(OPENING[::-1]), cut, long)
    at_all = sum(looked_at)
    longer = patches(asking_for(OPENING[::-1]), kept, long)
    assert sum(looked_at) == 2 * at_all - in_short
    assert are_the_same(plain, longer)
    looked_at.clear()
    assert are_the_same(plain, patches(asking_for(OPENING[::-1]), kept, long))
    assert sum(looked_at) <= 5  # the frames of the last block, which was not whole
    assert are_the_same(first, patches(asking_for(OPENING), kept, short))


def test_a_presenter_who_speaks_is_drawn_the_same(speaker: HeldPresenter, tmp_path: Path) -> None:
    plain = patches(asking_for(OPENING), speaker, 18)
    kept = keeping(speaker, tmp_path / "one.lips")
    assert any(patch.own_mouth for patch in plain)
    assert are_the_same(plain, patches(asking_for(OPENING), kept, 18))
    assert are_the_same(plain, patches(asking_for(OPENING), kept, 18))


@pytest.mark.parametrize("change", ["fingerprint", "tracks", "byte", "end"])
def test_what_is_of_something_else_or_damaged_counts_for_nothing(
    change: str, closed_lips: HeldPresenter, tmp_path: Path, looked_at: list[int]
) -> None:
    path = tmp_path / "one.lips"
    patches(asking_for(OPENING), keeping(closed_lips, path), 6)
    whole, other = path.read_bytes(), keeping(closed_lips, path)
    if change == "fingerprint":
        other = keeping(closed_lips, path, fingerprint="b")
    elif change == "tracks":
        head = other.tracks.head.copy()
        head[0, 0, 2] += 0.001
        other = HeldPresenter(other.pictures, replace(other.tracks, head=head))
    elif change == "byte":
        path.write_bytes(whole[:-9] + bytes([whole[-9] ^ 1]) + whole[-8:])
    else:
        path.write_bytes(whole[:-9])
    looked_at.clear()
    made = patches(asking_for(OPENING), other, 6)
    assert sum(looked_at) == 6
    unkept = HeldPresenter(other.pictures, replace(other.tracks, upload=None))
    assert are_the_same(made, patches(asking_for(OPENING), unkept, 6))
    assert (path.read_bytes() == whole) == (change in ("byte", "end"))


def test_a_clip_that_is_not_drawn_to_its_end_keeps_nothing(closed_lips: HeldPresenter, tmp_path: Path) -> None:
    path = tmp_path / "one.lips"
    kept = keeping(closed_lips, path)
    engine = asking_for(OPENING)
    with closing(cast("Generator[MouthPatch]", engine.generate(speech_of(12), kept.sequence, kept.tracks))) as drawing:
        next(drawing)
    assert not path.exists()


def test_there_must_be_room_and_what_was_used_longest_ago_makes_it(tmp_path: Path) -> None:
    path, old, new = tmp_path / "one.lips", tmp_path / "old.lips", tmp_path / "new.latents"
    for used, other in enumerate((old, new), start=1):
        other.write_bytes(bytes(1000))
        os.utime(other, (used, used))
    none = LipRecord(path, "a", ROW.itemsize)
    none.add(None)
    none.add(None)
    none.save()
    assert not path.exists() and old.exists()
    some = LipRecord(path, "a", 2 * ROW.itemsize + 1200)
    some.add(None)
    some.add(None)
    some.save()
    assert path.exists() and not old.exists() and new.exists()
    assert len(LipRecord(path, "a")) == 2


def test_a_shorter_record_never_replaces_a_longer_one(tmp_path: Path) -> None:
    path = tmp_path / "one.lips"
    short, long = LipRecord(path, "a", ROOM), LipRecord(path, "a", ROOM)
    for record, rows in ((short, 1), (long, 3)):
        for _ in range(rows):
            record.add(None)
    long.save()
    short.save()
    assert len(LipRecord(path, "a")) == 3
