"""Faces are drawn in batches that fit, in a precision that does the weights justice."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from heygem_pipeline import devices
from heygem_pipeline.errors import DeviceUnusable
from heygem_pipeline.lipsync.musetalk.network import inference
from heygem_pipeline.lipsync.musetalk.network.architecture import Networks
from heygem_pipeline.lipsync.musetalk.network.inference import FaceGenerator, FaceInput, default_precision
from heygem_pipeline.lipsync.musetalk.network.weight_files import load_networks
from heygem_pipeline_tests.lipsync.musetalk.test_weight_files import UNET, VAE, WHISPER

CPU = torch.device("cpu")


@pytest.fixture
def small(checkpoints: Path) -> Networks:
    return load_networks(*(checkpoints / name for name in (UNET, VAE, WHISPER)))


def faces(count: int, side: int = 64) -> list[np.ndarray]:
    return list(np.random.default_rng(0).integers(0, 255, (count, side, side, 3), np.uint8))


def asked(generator: FaceGenerator, count: int) -> list[FaceInput]:
    sound = np.random.default_rng(1).normal(0, 1, (count, 50, 384)).astype(np.float32)
    return [
        FaceInput(latents, heard) for latents, heard in zip(generator.encode_faces(faces(count)), sound, strict=True)
    ]


def test_latents_are_the_same_each_time(small: Networks) -> None:
    generator = FaceGenerator(lambda: small, CPU, torch.float32)
    once, again = generator.encode_faces(faces(2)), generator.encode_faces(faces(2))
    np.testing.assert_array_equal(once, again)


def test_the_sound_and_the_lower_half_decide_what_is_drawn(small: Networks) -> None:
    generator = FaceGenerator(lambda: small, CPU, torch.float32)
    (one,) = asked(generator, 1)
    drawn = generator.draw_faces([one, FaceInput(one.latents, 2 * one.sound)])
    assert drawn[0].shape == (64, 64, 3) and drawn[0].dtype == np.float32
    assert np.abs(drawn[0] - drawn[1]).mean() > 1
    upper, lower = one.latents[:4], one.latents[4:]
    assert np.abs(upper[:, :14] - lower[:, :14]).mean() < np.abs(upper[:, 18:] - lower[:, 18:]).mean()


def test_its_speed_is_measured(small: Networks) -> None:
    generator = FaceGenerator(lambda: small, CPU, torch.float32)
    assert generator.frames_a_second is None
    generator.draw_faces(asked(generator, 1))
    assert generator.frames_a_second is not None and 0 < generator.frames_a_second < 1e4


class Hungry(torch.nn.Module):
    """Needs a gigabyte a face."""

    def __init__(self, network: Any, room: int) -> None:
        super().__init__()
        self.network, self.room = network, room

    def forward(self, latents: torch.Tensor, *rest: Any, **more: Any) -> Any:
        if len(latents) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB.")
        return self.network(latents, *rest, **more)


def test_a_batch_too_large_for_the_memory_is_halved_and_every_face_is_drawn(small: Networks) -> None:
    expected = FaceGenerator(lambda: small, CPU, torch.float32, batch=2)
    inputs = asked(expected, 5)
    hungry = Networks(Hungry(small.unet, 3), small.vae, small.whisper)  # pyright: ignore[reportArgumentType]
    generator = FaceGenerator(lambda: hungry, CPU, torch.float32, batch=4)
    for one, other in zip(generator.draw_faces(inputs), expected.draw_faces(inputs), strict=True):
        np.testing.assert_allclose(one, other, atol=0.1)
    assert generator.batch == 2


class Untyped(Hungry):
    """Says that it needs more as Apple's devices do, for which PyTorch has no type."""

    def forward(self, latents: torch.Tensor, *rest: Any, **more: Any) -> Any:
        try:
            return super().forward(latents, *rest, **more)
        except torch.OutOfMemoryError as error:
            raise RuntimeError("MPS backend out of memory") from error


def test_where_lack_of_memory_has_no_type_a_batch_is_halved_too(
    small: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "UNTYPED_ERRORS", CPU.type)
    hungry = Networks(Untyped(small.unet, 3), small.vae, small.whisper)  # pyright: ignore[reportArgumentType]
    generator = FaceGenerator(lambda: hungry, CPU, torch.float32, batch=4)
    assert len(generator.draw_faces(asked(generator, 5))) == 5
    assert generator.batch == 2


def test_no_memory_even_for_one_face_is_told(small: Networks) -> None:
    hungry = Networks(Hungry(small.unet, 0), small.vae, small.whisper)  # pyright: ignore[reportArgumentType]
    generator = FaceGenerator(lambda: hungry, CPU, torch.float32, batch=4)
    with pytest.raises(DeviceUnusable, match="HEYGEM_DEVICE"):
        generator.draw_faces(asked(generator, 2))


def test_half_precision_that_is_near_is_used(
    small: Networks, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = FaceGenerator(lambda: small, CPU, torch.float32)
    inputs = asked(exact, 2)
    monkeypatch.setattr(inference, "LARGEST_MEAN_DIFFERENCE", 10.0)
    short = FaceGenerator(
        lambda: load_networks(*(checkpoints / name for name in (UNET, VAE, WHISPER))), CPU, torch.bfloat16
    )
    assert str(short) == "cpu bfloat16"
    difference = np.abs(np.stack(short.draw_faces(inputs)) - np.stack(exact.draw_faces(inputs)))
    assert 0 < difference.mean() < 6


def test_half_precision_that_does_the_weights_no_justice_is_not_used(
    checkpoints: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(inference, "LARGEST_MEAN_DIFFERENCE", 1e-3)

    def load() -> Networks:
        return load_networks(*(checkpoints / name for name in (UNET, VAE, WHISPER)))

    generator = FaceGenerator(load, CPU, torch.bfloat16)
    assert str(generator) == "cpu float32" and "float32" in caplog.text
    inputs = asked(generator, 1)
    exact = FaceGenerator(load, CPU, torch.float32)
    np.testing.assert_array_equal(generator.draw_faces(inputs), exact.draw_faces(inputs))


def test_faces_that_are_no_numbers_are_drawn_again_in_float32(
    small: Networks, checkpoints: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Black mouths on some cards: half precision that overflows in the middle of a clip."""
    monkeypatch.setattr(inference, "LARGEST_MEAN_DIFFERENCE", 10.0)

    def load() -> Networks:
        return load_networks(*(checkpoints / name for name in (UNET, VAE, WHISPER)))

    generator = FaceGenerator(load, CPU, torch.bfloat16)
    inputs = asked(generator, 1)
    next(generator._networks.unet.conv_out.parameters()).data[:] = torch.inf
    (face,) = generator.draw_faces(inputs)
    exact = FaceGenerator(lambda: small, CPU, torch.float32)
    np.testing.assert_allclose(face, exact.draw_faces(inputs)[0], atol=0.1)
    assert str(generator) == "cpu float32"


def test_half_precision_is_used_where_it_is_quick() -> None:
    assert default_precision(torch.device("cuda:1")) is torch.float16
    assert default_precision(torch.device("mps")) is torch.float32
    assert default_precision(CPU) in (torch.bfloat16, torch.float32)
