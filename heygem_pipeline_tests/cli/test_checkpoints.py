"""``heygem checkpoints``, with face-alignment's real loading."""

import json
from pathlib import Path

import pytest

from heygem_pipeline_tests.cli.commands import heygem

LANDMARKS = "2DFAN4-11f355bf06.pth.tar"


def test_the_list_names_files_terms_and_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "wav2lip.pth").write_bytes(b"x" * 2_000_000)
    done = heygem("checkpoints", "list", HEYGEM_CHECKPOINTS=str(tmp_path))
    assert done.exit_code == 0, done.stderr
    for said in ("wav2lip_gan.pth", LANDMARKS, "s3fd-619a316812.pth", "Research and personal use only", "2 MB"):
        assert said in done.stdout
    assert "HEYGEM_ACKNOWLEDGED_LICENCES=wav2lip" in done.stdout
    known = heygem("checkpoints", "list", HEYGEM_CHECKPOINTS=str(tmp_path), HEYGEM_ACKNOWLEDGED_LICENCES="wav2lip")
    assert "You have acknowledged that." in known.stdout


def test_programs_read_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "wav2lip.pth").write_bytes(b"x" * 2_000_000)
    said = json.loads(heygem("checkpoints", "list", "--json", HEYGEM_CHECKPOINTS=str(tmp_path)).stdout)
    owners = {owner["name"]: owner for owner in said["owners"]}
    files = {file["file"]: file["bytes"] for file in owners["wav2lip"]["files"]}
    assert files[str(tmp_path / "wav2lip.pth")] == 2_000_000 and files[str(tmp_path / "wav2lip_gan.pth")] is None
    assert (owners["wav2lip"]["complete"], owners["face_alignment"]["complete"]) == (True, False)


def test_where_prints_the_folder_alone(tmp_path: Path) -> None:
    done = heygem("checkpoints", "where", HEYGEM_CHECKPOINTS=str(tmp_path / "my weights"))
    assert (done.exit_code, done.stdout) == (0, f"{tmp_path / 'my weights'}\n")


@pytest.mark.long
def test_real_weights_come_in_and_a_web_page_does_not(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    pytest.importorskip("face_alignment")
    from face_alignment.models import FAN

    torch.save(FAN(4).state_dict(), tmp_path / LANDMARKS)
    folder = str(tmp_path / "weights")
    done = heygem("checkpoints", "import", tmp_path / LANDMARKS, HEYGEM_CHECKPOINTS=folder)
    assert done.exit_code == 0, done.stderr
    assert (tmp_path / "weights" / LANDMARKS).is_file()
    verified = heygem("checkpoints", "verify", HEYGEM_CHECKPOINTS=folder)
    assert verified.exit_code == 0 and "other weights than the published" in verified.stdout

    for name in ("s3fd-619a316812.pth", "wav2lip.pth"):
        (tmp_path / name).write_text("<html>Too many requests</html>")
        refused = heygem("checkpoints", "import", tmp_path / name, HEYGEM_CHECKPOINTS=folder)
        assert refused.exit_code == 2 and name in refused.stderr
        assert len(refused.stderr.splitlines()) == 1
    assert sorted(path.name for path in (tmp_path / "weights").iterdir()) == [LANDMARKS, f"{LANDMARKS}.json"]


def test_musetalks_files_are_listed_imported_and_looked_into(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    for needed in ("diffusers", "transformers"):
        pytest.importorskip(needed)
    from heygem_pipeline_tests.lipsync.musetalk.stand_in import small_weights

    folder = str(tmp_path / "weights")
    listed = heygem("checkpoints", "list", HEYGEM_CHECKPOINTS=folder).stdout
    for said in ("CreativeML OpenRAIL-M", "sd-vae-ft-mse", "No SHA-256 is known", "One file for each purpose"):
        assert said in " ".join(listed.split())
    for name, weights in small_weights().items():
        fetched = tmp_path / name.rpartition("/")[2]
        torch.save(weights, fetched)
        done = heygem("checkpoints", "import", fetched, HEYGEM_CHECKPOINTS=folder)
        assert done.exit_code == 0 and "passed on" in done.stdout, done.stderr
    verified = heygem("checkpoints", "verify", HEYGEM_CHECKPOINTS=folder)
    assert verified.exit_code == 0 and verified.stdout.count("Unchanged since") == 3
    # The UNet of version 1.0 bears the name of Whisper's file.
    (tmp_path / "unet.pth").rename(tmp_path / "pytorch_model.bin")
    refused = heygem("checkpoints", "import", tmp_path / "pytorch_model.bin", HEYGEM_CHECKPOINTS=folder)
    assert refused.exit_code == 2 and "another network" in refused.stderr


def test_a_clip_whose_engine_or_tracker_lacks_weights_is_not_begun(material: Path, tmp_path: Path) -> None:
    def generate(**environment: str):  # noqa: ANN202
        return heygem(
            *("generate", "--audio", material / "voice.wav", "--template", material / "presenter.mp4"),
            *("--output", tmp_path / "clip.mp4"),
            HEYGEM_CHECKPOINTS=str(tmp_path / "none"),
            HEYGEM_DOWNLOADS="false",
            **environment,
        )

    engine = generate(HEYGEM_ENGINE="wav2lip", HEYGEM_ACKNOWLEDGED_LICENCES="wav2lip")
    assert engine.exit_code == 3 and "wav2lip_gan.pth" in engine.stderr
    unread = generate(HEYGEM_ENGINE="wav2lip")
    assert unread.exit_code == 3 and "HEYGEM_ACKNOWLEDGED_LICENCES=wav2lip" in unread.stderr
    tracker = generate(HEYGEM_TRACKER="face_alignment")
    assert tracker.exit_code == 3 and "s3fd-619a316812.pth" in tracker.stderr
    assert all(len(done.stderr.splitlines()) == 1 for done in (engine, unread, tracker))
    assert not (tmp_path / "clip.mp4").exists()


@pytest.mark.parametrize("command", ["list", "verify", "import", "where"])
def test_every_command_explains_itself(command: str) -> None:
    assert heygem("checkpoints", command, "--help").exit_code == 0
