import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from heygem_pipeline.checkpoints.catalogue import CATALOGUE, checkpoint_called
from heygem_pipeline.checkpoints.download import download
from heygem_pipeline.checkpoints.import_record import read_receipt
from heygem_pipeline.checkpoints.weights import weights_of
from heygem_pipeline.errors import LicenceNotAcknowledged, ModelMissing
from heygem_pipeline.faces.tracker_registry import TRACKERS
from heygem_pipeline.lipsync.engine_registry import ENGINES
from heygem_pipeline.settings import settings
from heygem_pipeline.synthesis.synthesizer_registry import SYNTHESIZERS


@pytest.fixture
def acknowledged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEYGEM_ACKNOWLEDGED_LICENCES", "other, wav2lip")
    settings.cache_clear()
    folder.mkdir()
    return folder


def test_every_owner_is_an_engine_or_a_tracker_and_no_file_belongs_to_two() -> None:
    assert {owner.name for owner in CATALOGUE} <= {*ENGINES, *TRACKERS, *SYNTHESIZERS}
    files = [one.file.casefold() for owner in CATALOGUE for part in owner.parts for one in part.files]
    assert len(set(files)) == len(files)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", ["warp", "mesh"])
def test_what_ships_its_weights_needs_none(name: str) -> None:
    assert weights_of(name, settings()) == ()


@pytest.mark.usefixtures("folder")
def test_research_weights_are_not_given_out_before_their_terms_are_acknowledged() -> None:
    with pytest.raises(LicenceNotAcknowledged, match=r"[Rr]esearch.*HEYGEM_ACKNOWLEDGED_LICENCES=wav2lip"):
        weights_of("wav2lip", settings())


def test_missing_weights_are_told_with_every_name_and_the_place(acknowledged: Path) -> None:
    with pytest.raises(ModelMissing) as told:
        weights_of("wav2lip", settings())
    for said in ("wav2lip_gan.pth", "wav2lip.pth", "Wav2Lip-SD-GAN.pt", "Wav2Lip-SD-NOGAN.pt", str(acknowledged)):
        assert said in str(told.value)


def test_of_files_that_serve_alike_the_first_that_is_there_counts(acknowledged: Path) -> None:
    (acknowledged / "Wav2Lip-SD-NOGAN.pt").touch()
    assert weights_of("wav2lip", settings()) == (acknowledged / "Wav2Lip-SD-NOGAN.pt",)
    (acknowledged / "wav2lip.pth").touch()
    assert weights_of("wav2lip", settings()) == (acknowledged / "wav2lip.pth",)


def test_an_owner_of_two_parts_has_both_in_order(acknowledged: Path) -> None:
    for name in ("2DFAN4-11f355bf06.pth.tar", "s3fd-619a316812.pth"):
        (acknowledged / name).touch()
    found = weights_of("face_alignment", settings())
    assert [path.name for path in found] == ["s3fd-619a316812.pth", "2DFAN4-11f355bf06.pth.tar"]


def test_names_are_found_in_any_case_and_promise_their_digits() -> None:
    found = checkpoint_called("S3FD-619A316812.PTH")
    assert found is not None and found[2].promised_digits == "619a316812"
    landmarks = checkpoint_called("2DFAN4-11f355bf06.pth.tar")
    assert landmarks is not None and landmarks[2].promised_digits == "11f355bf06"
    wav2lip = checkpoint_called("Wav2Lip-SD-GAN.pt")
    assert wav2lip is not None and wav2lip[2].promised_digits == ""


CONTENT = b"weights" * 1000
DIGITS = hashlib.sha256(CONTENT).hexdigest()[:10]


def published(tmp_path: Path, content: bytes):  # noqa: ANN201
    """A catalogue entry whose download is a file of this machine."""
    known = checkpoint_called("s3fd-619a316812.pth")
    assert known is not None
    source = tmp_path / "published"
    source.write_bytes(content)
    return replace(known[2], file=f"s3fd-{DIGITS}.pth", url=source.as_uri())


def test_a_download_is_whole_checked_and_noted(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    checkpoint = published(tmp_path, CONTENT)
    path = download(checkpoint, tmp_path / "new" / checkpoint.file)
    assert path.read_bytes() == CONTENT
    receipt = read_receipt(path)
    assert receipt is not None and receipt.sha256.startswith(DIGITS)


@pytest.mark.parametrize("content", [CONTENT[:-1], b"<html>blocked</html>", None])
def test_a_download_that_fails_leaves_nothing_and_says_what_to_fetch(tmp_path: Path, content: bytes | None) -> None:
    pytest.importorskip("torch")
    checkpoint = published(tmp_path, content or b"")
    if content is None:
        (tmp_path / "published").unlink()
    with pytest.raises(ModelMissing) as told:
        download(checkpoint, tmp_path / "new" / checkpoint.file)
    assert checkpoint.file in str(told.value) and checkpoint.url in str(told.value)
    assert list((tmp_path / "new").iterdir()) == []
