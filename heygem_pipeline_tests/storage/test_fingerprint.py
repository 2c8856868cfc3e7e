import hashlib
from pathlib import Path

from heygem_pipeline.storage.fingerprint import fingerprint


def test_the_fingerprint_is_the_sha256_of_the_content(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    for name in ("a.wav", "b.mp4"):
        (tmp_path / name).write_bytes(content)
        assert fingerprint(tmp_path / name) == hashlib.sha256(content).hexdigest()


def test_one_changed_byte_changes_it(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"voice")
    before = fingerprint(path)
    path.write_bytes(b"Voice")
    assert fingerprint(path) != before
