"""Weights are read from the files as they are published; anything else is told in a sentence."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from heygem_pipeline.errors import CheckpointUnusable
from heygem_pipeline.lipsync.musetalk.network.weight_files import load_network, load_networks
from heygem_pipeline_tests.lipsync.musetalk.stand_in import small_weights

UNET, VAE, WHISPER = "musetalkV15/unet.pth", "sd-vae/diffusion_pytorch_model.bin", "whisper/pytorch_model.bin"
PARTS = {"network": UNET, "autoencoder": VAE, "hearing": WHISPER}


def refusal(part: str, path: Path) -> str:
    with pytest.raises(CheckpointUnusable) as told:
        load_network(part, path)
    assert path.name in str(told.value) and "heygem checkpoints import" in str(told.value)
    return told.value.message.code


def test_the_published_files_are_read_with_their_widths(checkpoints: Path) -> None:
    networks = load_networks(*(checkpoints / name for name in (UNET, VAE, WHISPER)))
    assert networks.face_side == 64
    assert tuple(networks.unet.config["block_out_channels"]) == (32, 32, 32, 32)
    assert networks.whisper.config.max_source_positions == 200
    held = small_weights()
    own = networks.unet.state_dict(), networks.whisper.state_dict()
    assert all(torch.equal(own[0][name], value) for name, value in held[UNET].items())
    assert all(torch.equal(value, held[WHISPER][f"model.encoder.{name}"]) for name, value in own[1].items())


def test_old_and_new_names_of_the_autoencoder_are_the_same_weights(checkpoints: Path, tmp_path: Path) -> None:
    modern = load_network("autoencoder", checkpoints / VAE).state_dict()
    assert any(".to_q." in name for name in modern) and not any(".query." in name for name in modern)
    save_file({name: value.contiguous() for name, value in modern.items()}, tmp_path / "vae.safetensors")
    again = load_network("autoencoder", tmp_path / "vae.safetensors").state_dict()
    assert all(torch.equal(again[name], value) for name, value in modern.items())


def test_half_precision_and_old_pickles_are_read(tmp_path: Path) -> None:
    halves = {name: value.half() for name, value in small_weights()[UNET].items()}
    torch.save(halves, tmp_path / "unet.pth", _use_new_zipfile_serialization=False)
    assert next(load_network("network", tmp_path / "unet.pth").parameters()).dtype is torch.float32


@pytest.mark.parametrize("part", PARTS)
def test_what_is_no_file_of_weights_is_refused(part: str, tmp_path: Path) -> None:
    page = tmp_path / "unet.pth"
    page.write_bytes(b"<html>quota exceeded</html>")
    assert refusal(part, page) in ("weights.damaged_musetalk", "weights.more_than_weights_musetalk")
    page.rename(tmp_path / "vae.safetensors")
    assert refusal(part, tmp_path / "vae.safetensors") == "weights.damaged_musetalk"
    torch.save({"epoch": 3}, page)
    assert refusal(part, page) == "weights.damaged_musetalk"


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("other", PARTS)
def test_the_weights_of_another_part_are_refused(part: str, other: str, checkpoints: Path) -> None:
    if part != other:
        assert refusal(part, checkpoints / PARTS[other]) == "weights.other_network_musetalk"


def test_a_network_of_the_same_names_and_other_inputs_is_refused(tmp_path: Path) -> None:
    """Stable Diffusion's own UNet has four channels in, and another width of tokens."""
    weights = dict(small_weights()[UNET])
    weights["conv_in.weight"] = weights["conv_in.weight"][:, :4].contiguous()
    torch.save(weights, tmp_path / "unet.pth")
    assert refusal("network", tmp_path / "unet.pth") == "weights.other_network_musetalk"


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    weights = dict(small_weights()[UNET])
    weights["conv_out.bias"] = torch.full_like(weights["conv_out.bias"], torch.nan)
    torch.save(weights, tmp_path / "unet.pth")
    assert refusal("network", tmp_path / "unet.pth") == "weights.no_numbers_musetalk"


class Evil:
    def __reduce__(self) -> Any:
        return print, ("run",)


def test_no_code_of_a_file_is_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torch.save({"conv_in.weight": Evil()}, tmp_path / "unet.pth")
    assert refusal("network", tmp_path / "unet.pth") == "weights.more_than_weights_musetalk"
    assert capsys.readouterr().out == ""
