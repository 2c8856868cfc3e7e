"""Which links lead out of the data folder."""

from pathlib import Path

from heygem_pipeline.storage.path_checks import leads_out


def test_a_link_to_elsewhere_leads_out_however_it_goes(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "data", tmp_path / "elsewhere"
    (root / "voices").mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / "secret").write_bytes(b"")
    (root / "voices" / "own.wav").write_bytes(b"")
    (root / "voices" / "out.wav").symlink_to(elsewhere / "secret")
    (root / "voices" / "in.wav").symlink_to("own.wav")
    (root / "voices" / "twice.wav").symlink_to("out.wav")
    (root / "voices" / "folder").symlink_to(elsewhere)
    (root / "voices" / "round.wav").symlink_to("round.wav")
    for name, out in (("own.wav", False), ("in.wav", False), ("out.wav", True), ("twice.wav", True)):
        assert leads_out(root / "voices" / name, root) is out
    assert leads_out(root / "voices" / "folder" / "secret", root)
    assert not leads_out(root / "voices" / "missing.wav", root)
    leads_out(root / "voices" / "round.wav", root)


def test_a_data_folder_or_one_of_its_folders_may_lie_elsewhere(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    (disk / "voices").mkdir(parents=True)
    (disk / "voices" / "own.wav").write_bytes(b"")
    (tmp_path / "linked").symlink_to(disk)
    assert not leads_out(tmp_path / "linked" / "voices" / "own.wav", tmp_path / "linked")
    root = tmp_path / "data"
    root.mkdir()
    (root / "voices").symlink_to(disk / "voices")
    assert not leads_out(root / "voices" / "own.wav", root)
