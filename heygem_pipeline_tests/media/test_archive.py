"""ZIPs of clips: written whole, or sent while they are made."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from heygem_pipeline.errors import ArchiveChanged
from heygem_pipeline.media.archive import StreamedArchive, write_archive
from heygem_pipeline.storage.file_store import LocalFiles


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_bytes(bytes(range(256)) * 20_000)
    return path


def test_a_zip_holds_its_clips_and_a_manifest_of_both_kinds(clip: Path, tmp_path: Path) -> None:
    rows = [{"output": "课.mp4", "checks": ["good"]}, {"output": None, "error": "no face"}]
    write_archive(tmp_path / "all.zip", [("课/张.mp4", clip)], rows)
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert archive.read("课/张.mp4") == clip.read_bytes()
        assert archive.getinfo("课/张.mp4").compress_type == zipfile.ZIP_STORED
        assert json.loads(archive.read("manifest.json")) == rows
        table = archive.read("manifest.csv").decode("utf-8-sig").splitlines()
    assert table == ["output,checks,error", '课.mp4,"[""good""]",', ",,no face"]


def test_a_zip_with_a_missing_clip_does_not_appear(clip: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError):
        write_archive(tmp_path / "all.zip", [("clip.mp4", clip), ("gone.mp4", tmp_path / "gone")], [])
    assert sorted(tmp_path.iterdir()) == before


def test_a_zip_is_made_while_it_is_sent(clip: Path, tmp_path: Path) -> None:
    def files() -> Iterator[tuple[str, Path]]:
        yield "课/large.mp4", clip
        yield "gone.mp4", tmp_path / "gone"

    archive = StreamedArchive(files(), LocalFiles())
    pieces = list(archive.pieces())
    assert max(map(len, pieces)) < 600_000
    assert archive.length == sum(map(len, pieces))
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.namelist() == ["课/large.mp4"]
        assert archive.read("课/large.mp4") == clip.read_bytes()


@pytest.mark.parametrize("limit", [zipfile.ZIP64_LIMIT, 6_000_000, 1000])
def test_any_part_of_it_is_the_same_as_of_the_whole(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    monkeypatch.setattr("zipfile.ZIP64_LIMIT", limit)
    short = tmp_path / "short.srt"
    short.write_text("Good morning.")
    archive = StreamedArchive([("课.mp4", clip), ("课.srt", short), ("b.mp4", clip)], LocalFiles())
    whole = b"".join(archive.pieces())
    assert len(whole) == archive.length
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None
    for first, last in ((0, 0), (5_000_000, 5_300_000), (archive.length - 30, archive.length - 1)):
        assert b"".join(archive.pieces(first, last)) == whole[first : last + 1]


def test_a_zip_whose_file_has_changed_breaks_off_and_has_another_mark(clip: Path) -> None:
    archive = StreamedArchive([("clip.mp4", clip)], LocalFiles())
    assert StreamedArchive([("clip.mp4", clip)], LocalFiles()).mark == archive.mark
    clip.write_bytes(b"another")
    with pytest.raises(ArchiveChanged):
        list(archive.pieces())
    assert StreamedArchive([("clip.mp4", clip)], LocalFiles()).mark != archive.mark
