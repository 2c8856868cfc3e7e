"""The network computes what the public one computes, and takes its weights."""

import pytest
import torch

from heygem_pipeline.lipsync.wav2lip.network.batch_norm_folding import fold_batch_norms
from heygem_pipeline.lipsync.wav2lip.network.model import PARAMETERS, Wav2LipNetwork
from heygem_pipeline.lipsync.wav2lip.network.onednn import can_pack, pack
from heygem_pipeline_tests.lipsync.wav2lip.stand_in import ruled_inputs, vectors

KNOWN = vectors()


def test_it_has_the_public_networks_parts(network: Wav2LipNetwork) -> None:
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS == KNOWN["parameters"]
    assert len(network.state_dict()) == KNOWN["state_dict_keys"]


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("face_encoder_blocks.0.0.conv_block.0.weight", (16, 6, 7, 7)),
        ("face_encoder_blocks.2.3.conv_block.1.running_var", (64,)),
        ("audio_encoder.12.conv_block.0.weight", (512, 512, 1, 1)),
        ("face_decoder_blocks.1.0.conv_block.0.weight", (1024, 512, 3, 3)),
        ("face_decoder_blocks.5.0.conv_block.0.weight", (320, 128, 3, 3)),
        ("output_block.0.conv_block.0.weight", (32, 80, 3, 3)),
        ("output_block.1.bias", (3,)),
    ],
)
def test_its_parts_are_called_as_in_the_public_checkpoints(
    network: Wav2LipNetwork, name: str, shape: tuple[int, ...]
) -> None:
    assert tuple(network.state_dict()[name].shape) == shape


def test_it_hears_what_the_reference_hears(network: Wav2LipNetwork) -> None:
    embedding = network.audio_encoder(ruled_inputs()[0]).flatten()
    assert embedding.shape == (512,)
    assert embedding[:8].tolist() == pytest.approx(KNOWN["audio_embedding"]["first8"], abs=1e-4)
    assert embedding.mean().item() == pytest.approx(KNOWN["audio_embedding"]["mean"], abs=1e-4)
    assert embedding.std().item() == pytest.approx(KNOWN["audio_embedding"]["std"], abs=1e-4)


def drawn_by(network: Wav2LipNetwork) -> torch.Tensor:
    mel, faces = ruled_inputs()
    with torch.inference_mode():
        return network(mel, faces.contiguous(memory_format=torch.channels_last))


def agrees_with_the_reference(drawn: torch.Tensor) -> None:
    assert drawn.shape == (1, 3, 96, 96)
    for point in KNOWN["output"]["points"]:
        place = (0, point["channel"], point["row"], point["column"])
        assert drawn[place].item() == pytest.approx(point["value"], abs=1e-4)
    assert drawn.mean().item() == pytest.approx(KNOWN["output"]["mean"], abs=1e-4)
    assert drawn.std().item() == pytest.approx(KNOWN["output"]["std"], abs=1e-4)


def test_it_draws_what_the_reference_draws(network: Wav2LipNetwork) -> None:
    agrees_with_the_reference(drawn_by(network))


def test_folding_batch_norms_changes_nothing(network: Wav2LipNetwork) -> None:
    agrees_with_the_reference(drawn_by(fold_batch_norms(network)))
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in fold_batch_norms(network).modules())


@pytest.mark.skipif(not can_pack(), reason="this processor or PyTorch has no oneDNN operators")
@pytest.mark.parametrize("batch", [1, 16])
def test_packing_for_the_processor_changes_nothing(network: Wav2LipNetwork, batch: int) -> None:
    agrees_with_the_reference(drawn_by(pack(network, batch, torch.float32)))


def test_a_batch_is_drawn_as_its_frames_are_alone(network: Wav2LipNetwork) -> None:
    mel, faces = ruled_inputs()
    mels, both = torch.cat([mel, -mel]), torch.cat([faces, faces.flip(3)])
    together = network(mels, both)
    torch.testing.assert_close(together[1:], network(mels[1:], both[1:]), atol=1e-5, rtol=0)
