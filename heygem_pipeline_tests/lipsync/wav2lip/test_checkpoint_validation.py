"""Weights are read in every form they are handed round in; anything else is told in a sentence."""

import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from heygem_pipeline.errors import CheckpointUnusable
from heygem_pipeline.lipsync.wav2lip.network.checkpoint_validation import load_network
from heygem_pipeline.lipsync.wav2lip.network.model import MEL_BANDS, MEL_COLUMNS, Wav2LipNetwork
from heygem_pipeline_tests.lipsync.wav2lip.stand_in import ruled_inputs

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")


def training_state(network: Wav2LipNetwork, prefix: str) -> dict[str, Any]:
    weights = OrderedDict((prefix + name, value) for name, value in network.state_dict().items())
    optimizer = {"state": {0: {"step": 7, "exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1e-4, "params": [0]}]}
    return {"state_dict": weights, "optimizer": optimizer, "global_step": 255000, "global_epoch": 94}


def holds_the_weights_of(network: Wav2LipNetwork, path: Path) -> None:
    mel, faces = ruled_inputs()
    torch.testing.assert_close(load_network(path)(mel, faces), network(mel, faces), atol=0, rtol=0)


@pytest.mark.parametrize(("prefix", "zipped"), [("module.", True), ("", False)], ids=["zip", "old pickle"])
def test_a_training_state_is_read(network: Wav2LipNetwork, tmp_path: Path, prefix: str, zipped: bool) -> None:
    path = tmp_path / "权重 wav2lip_gan.pth"
    torch.save(training_state(network, prefix), path, _use_new_zipfile_serialization=zipped)
    holds_the_weights_of(network, path)


@pytest.mark.parametrize("prefix", ["module.", ""])
def test_bare_weights_are_read(network: Wav2LipNetwork, tmp_path: Path, prefix: str) -> None:
    torch.save(training_state(network, prefix)["state_dict"], tmp_path / "wav2lip.pth")
    holds_the_weights_of(network, tmp_path / "wav2lip.pth")


def test_a_torchscript_archive_is_asked_for_its_weights(network: Wav2LipNetwork, tmp_path: Path) -> None:
    path = tmp_path / "权重 Wav2Lip-SD-GAN.pt"
    with path.open("wb") as file:
        torch.jit.save(torch.jit.trace(network, ruled_inputs()), file)
    holds_the_weights_of(network, path)


def test_half_precision_weights_are_read(network: Wav2LipNetwork, tmp_path: Path) -> None:
    halves = {name: value.half() for name, value in network.state_dict().items()}
    torch.save(halves, tmp_path / "wav2lip.pth")
    assert all(value.dtype is torch.float32 for value in load_network(tmp_path / "wav2lip.pth").parameters())


def refuses(path: Path) -> str:
    with pytest.raises(CheckpointUnusable) as caught:
        load_network(path)
    sentence = str(caught.value)
    assert path.name in sentence
    assert "checkpoints import" in sentence
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!DOCTYPE html><html><title>Google Drive - Quota exceeded</title></html>",
        b"\x80\x02",
        b"PK\x03\x04 cut off",
        bytes(range(256)) * 40,
    ],
    ids=["empty", "web page", "cut pickle", "cut zip", "bytes"],
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wav2lip_gan.pth"
    path.write_bytes(content)
    refuses(path)


@pytest.fixture(scope="module", params=["pickle", "old pickle", "torchscript"])
def whole(network: Wav2LipNetwork, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The content of a file of weights in each form."""
    path = tmp_path_factory.mktemp("whole") / "wav2lip.pth"
    if request.param == "torchscript":
        torch.jit.save(torch.jit.trace(network, ruled_inputs()), str(path))
    else:
        torch.save(network.state_dict(), path, _use_new_zipfile_serialization=request.param == "pickle")
    return path.read_bytes()


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_download_that_broke_off_is_refused(whole: bytes, tmp_path: Path, share: float) -> None:
    path = tmp_path / "wav2lip.pth"
    path.write_bytes(whole[: int(share * len(whole))])
    refuses(path)


def test_a_pickle_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    class Harmful:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "it ran",)

    torch.save({"state_dict": Harmful()}, tmp_path / "wav2lip.pth")
    assert "safety" in refuses(tmp_path / "wav2lip.pth")
    assert not (tmp_path / "it ran").exists()


@pytest.mark.parametrize("found", [{"epoch": 1}, [1, 2], {}, torch.zeros(3), {"state_dict": {}}])
def test_a_file_without_weights_is_refused(tmp_path: Path, found: object) -> None:
    torch.save(found, tmp_path / "wav2lip.pth")
    assert "no weights" in refuses(tmp_path / "wav2lip.pth")


def test_another_networks_weights_are_refused(network: Wav2LipNetwork, tmp_path: Path) -> None:
    path, weights = tmp_path / "wav2lip.pth", dict(network.state_dict())
    torch.save(torch.nn.Linear(3, 4).state_dict(), path)
    assert "another network" in refuses(path)
    torch.save(weights | {"sync.weight": torch.zeros(3)}, path)
    assert "sync.weight" in refuses(path)
    torch.save(weights | {"output_block.1.bias": torch.zeros(4)}, path)
    assert "output_block.1.bias" in refuses(path)
    del weights["output_block.1.bias"]
    torch.save(weights, path)
    assert "output_block.1.bias" in refuses(path)


def test_a_torchscript_archive_of_another_network_is_refused(tmp_path: Path) -> None:
    other = torch.jit.trace(torch.nn.Conv2d(1, 2, 3), torch.zeros(1, 1, MEL_BANDS, MEL_COLUMNS))
    torch.jit.save(other, str(tmp_path / "Wav2Lip-SD-GAN.pt"))
    assert "another network" in refuses(tmp_path / "Wav2Lip-SD-GAN.pt")


class Told(torch.nn.Module):
    """Its program says so when it is run, which torch.jit.load does while it reads the file."""

    def forward(self, x: Tensor) -> Tensor:
        return x

    @torch.jit.export
    def __getstate__(self):  # noqa: ANN204 # pyright: ignore[reportIncompatibleMethodOverride]
        return (torch.zeros(1), self.training)

    @torch.jit.export
    def __setstate__(self, state: tuple[Tensor, bool]):  # noqa: ANN204
        print("the program of the file ran")
        self.training = state[1]


def test_no_program_in_a_torchscript_archive_is_run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "Wav2Lip-SD-GAN.pt"
    torch.jit.save(torch.jit.script(Told()), str(path))
    refuses(path)
    assert capfd.readouterr().out == ""
    torch.jit.load(str(path))
    assert "ran" in capfd.readouterr().out, "the loader that is not used would have run it"


def test_a_torchscript_archive_names_nothing_but_tensors(tmp_path: Path) -> None:
    path = tmp_path / "Wav2Lip-SD-GAN.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/constants.pkl", b"")
        archive.writestr("model/data.pkl", b"cposix\nsystem\n(S'true'\ntR.")
    assert "more than weights" in refuses(path)


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "wav2lip.pth", "w") as archive:
        archive.writestr("model/constants.pkl", b"nothing")
    refuses(tmp_path / "wav2lip.pth")


def test_weights_that_are_no_numbers_are_refused(network: Wav2LipNetwork, tmp_path: Path) -> None:
    broken = dict(network.state_dict()) | {"output_block.1.bias": torch.full((3,), torch.nan)}
    torch.save(broken, tmp_path / "wav2lip.pth")
    assert "no numbers" in refuses(tmp_path / "wav2lip.pth")
