"""Importing and verifying; what a file must hold is asked of the engine, here of a stand-in."""

import os
from pathlib import Path

import pytest

from heygem_pipeline.checkpoints.catalogue import Owner, Part
from heygem_pipeline.checkpoints.import_and_verify import import_checkpoint, verify_checkpoints
from heygem_pipeline.checkpoints.import_record import read_receipt, receipt_path
from heygem_pipeline.errors import CheckpointUnusable, UploadMissing


def check(owner: Owner, part: Part, path: Path) -> None:
    if not path.read_bytes().startswith(f"{owner.name} {part.what}".encode()):
        raise CheckpointUnusable("weights.damaged", file=path.name)


@pytest.fixture
def fetched(tmp_path: Path) -> Path:
    path = tmp_path / "wav2lip.pth"
    path.write_bytes(b"wav2lip network" + os.urandom(3_000_000))
    return path


def test_an_imported_file_lies_whole_in_its_place_with_its_note(folder: Path, fetched: Path) -> None:
    done = import_checkpoint(fetched, folder, check)
    assert done.path == folder / "wav2lip.pth" and done.path.read_bytes() == fetched.read_bytes()
    assert read_receipt(done.path) == done.receipt and done.receipt.bytes == fetched.stat().st_size
    assert not done.replaced
    assert [one.usable for one in verify_checkpoints(folder, check)] == [True]
    assert sorted(path.name for path in folder.iterdir()) == ["wav2lip.pth", "wav2lip.pth.json"]


def test_a_renamed_file_is_named_rightly_when_it_is_said_what_it_is(folder: Path, fetched: Path) -> None:
    renamed = fetched.rename(fetched.with_name("wav2lip_gan (1).pth"))
    with pytest.raises(CheckpointUnusable, match="--as NAME"):
        import_checkpoint(renamed, folder, check)
    assert import_checkpoint(renamed, folder, check, "WAV2LIP_GAN.pth").path == folder / "wav2lip_gan.pth"


def test_a_file_that_lies_in_a_folder_of_its_own_is_known_with_and_without_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "unet.pth").write_bytes(b"musetalk network")
    assert import_checkpoint(tmp_path / "unet.pth", folder, check).path == folder / "musetalkV15" / "unet.pth"
    again = import_checkpoint(tmp_path / "unet.pth", folder, check, "musetalkV15/unet.pth")
    assert again.replaced and read_receipt(again.path) == again.receipt
    assert [one.usable for one in verify_checkpoints(folder, check)] == [True]


def test_what_the_engine_refuses_is_not_copied_and_what_was_there_stays(folder: Path, fetched: Path) -> None:
    before = import_checkpoint(fetched, folder, check)
    content = before.path.read_bytes()
    fetched.write_bytes(b"<html>")
    with pytest.raises(CheckpointUnusable):
        import_checkpoint(fetched, folder, check)
    assert before.path.read_bytes() == content and read_receipt(before.path) == before.receipt
    assert len(list(folder.iterdir())) == 2


def test_a_newer_file_takes_the_place_and_the_note(fetched: Path, folder: Path) -> None:
    first = import_checkpoint(fetched, folder, check)
    fetched.write_bytes(fetched.read_bytes() + b"more")
    second = import_checkpoint(fetched, folder, check)
    assert second.replaced and second.receipt.sha256 != first.receipt.sha256
    assert read_receipt(folder / "wav2lip.pth") == second.receipt


def test_a_file_that_is_there_already_is_noted_where_it_lies(folder: Path, fetched: Path) -> None:
    folder.mkdir()
    placed = fetched.rename(folder / fetched.name)
    done = import_checkpoint(placed, folder, check)
    assert done.path == placed and placed.is_file() and not done.replaced
    assert read_receipt(placed) == done.receipt


def test_a_file_that_is_not_there_is_told(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(UploadMissing, match=r"wav2lip\.pth"):
        import_checkpoint(tmp_path / "wav2lip.pth", folder, check)


def test_a_change_after_the_import_is_seen(fetched: Path, folder: Path) -> None:
    path = import_checkpoint(fetched, folder, check).path
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    (found,) = verify_checkpoints(folder, check)
    assert not found.usable and found.message.code == "weights.changed" and "changed" in str(found.message)


def test_a_file_put_there_by_hand_is_looked_into_too(folder: Path, fetched: Path) -> None:
    folder.mkdir()
    (folder / "wav2lip.pth").write_bytes(fetched.read_bytes())
    (folder / "2DFAN4-11f355bf06.pth.tar").write_bytes(b"cut off")
    by_hand, foreign = verify_checkpoints(folder, check)
    assert by_hand.usable and "by hand" in str(by_hand.message)
    assert not foreign.usable and foreign.message.code == "weights.damaged"


def test_weights_of_other_content_than_their_name_promises_are_told_apart(folder: Path) -> None:
    folder.mkdir()
    (folder / "s3fd-619a316812.pth").write_bytes(b"face_alignment detector, trained by somebody else")
    (found,) = verify_checkpoints(folder, check)
    assert found.usable and "other weights" in str(found.message)


def test_a_note_that_is_none_counts_as_none(fetched: Path, folder: Path) -> None:
    path = import_checkpoint(fetched, folder, check).path
    receipt_path(path).write_text('{"sha256": 1')
    assert read_receipt(path) is None
    receipt_path(path).write_text("[]")
    assert read_receipt(path) is None


def test_nothing_there_is_nothing_to_verify_checkpoints(folder: Path) -> None:
    assert verify_checkpoints(folder, check) == []
