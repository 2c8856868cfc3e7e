"""The networks compute what the reference computes; weights are made by rule, the shape is the public one."""

import zlib
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from heygem_pipeline.lipsync.musetalk.network.architecture import (
    UNET_PARAMETERS,
    VAE_PARAMETERS,
    WHISPER_PARAMETERS,
    Networks,
    unet_for,
    vae_for,
    whisper_for,
)
from heygem_pipeline.lipsync.musetalk.network.hearing import Hearing
from heygem_pipeline.lipsync.musetalk.network.inference import (
    FaceGenerator,
    FaceInput,
    position_encoding,
    to_network,
)
from heygem_pipeline_tests.lipsync.musetalk.stand_in import ruled, unet_of, vae_of, vectors, whisper_of

KNOWN = vectors()
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def generator(networks: Networks) -> FaceGenerator:
    return FaceGenerator(lambda: networks, CPU, torch.float32)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """The vectors' picture, uint8 (256, 256, 3) BGR."""
    y, x, channel = np.indices((256, 256, 3))
    waves = 60 * np.sin(0.05 * x + 0.9 * channel) + 50 * np.cos(0.037 * y - 0.4 * channel)
    made = np.rint(127.5 + waves + 15 * np.sin(0.31 * (x + y))).clip(0, 255).astype(np.uint8)
    assert zlib.crc32(made.tobytes()) == KNOWN["image"]["crc32_of_bytes_hwc"]
    return made


def agrees(found: Tensor | np.ndarray, points: list[Any], atol: float = 1e-4) -> None:
    array = np.asarray(found)
    assert [float(array[tuple(place)]) for place, _ in points] == pytest.approx([v for _, v in points], abs=atol)


def keys_of(network: nn.Module) -> int:
    return zlib.crc32("\n".join(sorted(network.state_dict())).encode())


def test_networks_of_the_published_widths_have_the_published_parts() -> None:
    known = KNOWN["full_size"]
    with torch.device("meta"):
        weights = [
            one.state_dict() for one in (unet_of(320, 640, 1280, 1280), vae_of(128, 256, 512, 512), whisper_of())
        ]
    built = [build(one) for build, one in zip((unet_for, vae_for, whisper_for), weights, strict=True)]
    counts = [sum(parameter.numel() for parameter in network.parameters()) for network in built]
    assert counts == [UNET_PARAMETERS, VAE_PARAMETERS, WHISPER_PARAMETERS]
    assert counts == [known["unet_parameters"], known["vae_parameters"], known["whisper_encoder_parameters"]]
    found = [keys_of(network) for network in built]
    whisper = KNOWN["whisper_encoder"]["key_crc32_sorted"]
    assert found == [known["unet_key_crc32_sorted"], known["vae_key_crc32_sorted"], whisper]


def test_the_rule_of_the_weights_is_the_vectors() -> None:
    for said, values in KNOWN["hash_check"].items():
        if said.startswith("h('"):
            assert ruled(said[3:].partition("'")[0], len(values)).tolist() == pytest.approx(values, abs=1e-6)


def test_the_order_of_the_tokens_is_told_as_by_the_reference() -> None:
    encoding = position_encoding(50, 384)
    agrees(encoding, KNOWN["position_encoding"]["points"], 1e-6)
    assert float(encoding.double().sum()) == pytest.approx(KNOWN["position_encoding"]["sum"], abs=1e-2)


def test_the_mouth_is_drawn_as_by_the_reference(networks: Networks, generator: FaceGenerator) -> None:
    latents = torch.from_numpy(1.5 * ruled("latents", 2 * 8 * 32 * 32).reshape(2, 8, 32, 32)).float()
    sound = torch.from_numpy(3 * ruled("audio", 2 * 50 * 384).reshape(2, 50, 384)).float()
    known, taps = KNOWN["unet"], {}

    def note(name: str) -> None:
        def keep(_module: nn.Module, _given: object, made: Any) -> None:
            first = made[0] if isinstance(made, tuple) else getattr(made, "sample", made)
            taps[name] = first[0] if isinstance(first, tuple) else first

        networks.unet.get_submodule(name).register_forward_hook(keep)

    for name in known["taps"]:
        note(name)
    with torch.inference_mode():
        drawn = generator._mouths(latents, sound)
        agrees(drawn, known["points"])
        assert float(drawn.std(correction=0)) == pytest.approx(known["out"]["std"], abs=1e-4)
        for name, tap in known["taps"].items():
            assert list(taps[name].shape) == tap["shape"], name
            assert float(taps[name].std(correction=0)) == pytest.approx(tap["std"], rel=1e-4), name
        agrees(generator._mouths(latents, torch.zeros_like(sound)), known["zero_audio_points"])


def test_a_face_becomes_latents_and_a_face_again_as_in_the_reference(
    networks: Networks, generator: FaceGenerator, picture: np.ndarray
) -> None:
    whole = to_network(picture[None], CPU)
    agrees(whole, KNOWN["vae_input"]["full_points"], 1e-6)
    masked = whole.clone()
    masked[:, :, 128:] = -1
    agrees(masked, KNOWN["vae_input"]["masked_points"], 1e-6)
    with torch.inference_mode():
        mode = torch.cat([generator._latents(masked), generator._latents(whole)], dim=1)
        agrees(mode, KNOWN["latents"]["mode_points"])
        # What is kept is of half precision.
        agrees(generator.encode_faces([picture])[0][None], KNOWN["latents"]["mode_points"], 1e-3)
        decoded = generator._decode(0.6 * mode[:, :4] + 0.4 * mode[:, 4:])
        agrees(decoded, KNOWN["decode"]["uint8_bgr_points"], 0.51)
        assert float(decoded.mean()) == pytest.approx(KNOWN["decode"]["uint8_mean"], abs=0.1)
        sound = torch.from_numpy(3 * ruled("audio", 2 * 50 * 384).reshape(2, 50, 384)).float()
        drawn = generator._mouths(mode, sound[:1])
        agrees(drawn, KNOWN["chain"]["unet_points"], 5e-4)
        scaled: Any = drawn / 0.18215
        picture_out = networks.vae.decode(scaled).sample  # pyright: ignore[reportAttributeAccessIssue]
        agrees(picture_out, KNOWN["chain"]["decoded_points"], 2e-3)


def test_half_precision_encodings_change_a_face_by_less_than_a_level(
    generator: FaceGenerator, picture: np.ndarray
) -> None:
    sound = (3 * ruled("audio", 50 * 384).reshape(50, 384)).astype(np.float32)
    (latents,) = generator.encode_faces([picture])
    (kept,) = generator.draw_faces([FaceInput(latents, sound)])
    whole = to_network(picture[None], CPU)
    masked = whole.clone()
    masked[:, :, 128:] = -1
    with torch.inference_mode():
        exact = torch.cat([generator._latents(masked), generator._latents(whole)], dim=1)
        drawn = generator._decode(generator._mouths(exact, torch.from_numpy(sound[None])))[0].numpy()
    assert 0 < np.abs(kept - drawn).mean() < 1


def test_it_hears_what_the_reference_hears(networks: Networks) -> None:
    t = np.arange(52_800) / 16_000
    tone = 0.4 * np.sin(2 * np.pi * 220 * t) * (0.5 + 0.5 * np.sin(2 * np.pi * 3 * t))
    samples = (tone + 0.1 * np.sin(2 * np.pi * 1760 * t * (1 + 0.1 * t))).astype(np.float32)
    hearing = Hearing(networks.whisper, CPU)
    mel = hearing._mel(samples, sampling_rate=16_000, return_tensors="np")["input_features"]
    agrees(mel, KNOWN["whisper_mel"]["points"])
    states = hearing._encode(samples)
    assert states.shape == (1500, 5, 384)
    for layer, known in enumerate(KNOWN["whisper_encoder"]["hidden_states"]):
        agrees(states[None, :, layer], known["points"], 2e-4)
    (piece,) = hearing.pieces(samples)
    np.testing.assert_array_equal(piece, states[: 52_800 // 320])
