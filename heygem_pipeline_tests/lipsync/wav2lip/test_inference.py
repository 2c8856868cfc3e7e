"""Batches of faces are drawn whole, in the precision that suits the device, and survive a lack of memory."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from heygem_pipeline.errors import DeviceUnusable
from heygem_pipeline.lipsync.contract.material import HeldPresenter
from heygem_pipeline.lipsync.wav2lip.network.inference import (
    LARGEST_DIFFERENCE,
    FaceGenerator,
    FaceInput,
    default_precision,
)
from heygem_pipeline.lipsync.wav2lip.network.model import Wav2LipNetwork
from heygem_pipeline.lipsync.wav2lip.network.onednn import can_pack

CPU = torch.device("cpu")


def faces_of(presenter: HeldPresenter, count: int) -> list[FaceInput]:
    """The presenter's face, and noise to hear."""
    import cv2

    noise = np.random.default_rng(0).uniform(-4, 4, (count, 16, 80)).astype(np.float32)
    left, top, right, bottom = (int(edge) for edge in presenter.tracks.boxes[0])
    small = [
        np.asarray(cv2.resize(picture[top:bottom, left:right], (96, 96)), np.uint8) for picture in presenter.pictures
    ]
    return [FaceInput(noise[index], small[index % len(small)]) for index in range(count)]


def drawn(generator: FaceGenerator, asked: Sequence[FaceInput]) -> NDArray[np.float32]:
    return np.stack([face() for face in generator.generate_faces(asked)])


def test_a_face_is_drawn_as_the_network_says(network: Wav2LipNetwork, smile: HeldPresenter) -> None:
    (asked,) = faces_of(smile, 1)
    face = torch.from_numpy(asked.face.astype(np.float32) / 255).permute(2, 0, 1)[None]
    upper_half = face.clone()
    upper_half[:, :, 48:] = 0
    mel = torch.from_numpy(asked.mel.T.copy())[None, None]
    expected = network(mel, torch.cat([upper_half, face], dim=1))[0].permute(1, 2, 0) * 255
    (painted,) = drawn(FaceGenerator(network, CPU, torch.float32), [asked])
    assert painted.shape == (96, 96, 3)
    np.testing.assert_allclose(painted, expected, atol=0.02)


def test_every_face_comes_back_in_its_place_whatever_the_batch(network: Wav2LipNetwork, smile: HeldPresenter) -> None:
    asked = faces_of(smile, 5)
    by_two = drawn(FaceGenerator(network, CPU, torch.float32, batch=2), asked)
    one_by_one = FaceGenerator(network, CPU, torch.float32, batch=1)
    alone = np.concatenate([drawn(one_by_one, [one]) for one in asked])
    np.testing.assert_allclose(by_two, alone, atol=0.02)
    assert np.abs(alone[1:] - alone[:-1]).max(axis=(1, 2, 3)).min() > 1


def test_nothing_asked_draws_nothing(network: Wav2LipNetwork) -> None:
    assert list(FaceGenerator(network, CPU).generate_faces([])) == []


@pytest.mark.skipif(not can_pack(), reason="bfloat16 is used through oneDNN only")
def test_bfloat16_stays_within_two_levels_of_float32(
    network: Wav2LipNetwork, smile: HeldPresenter, closed_lips: HeldPresenter
) -> None:
    asked = faces_of(smile, 2) + faces_of(closed_lips, 2)
    exact, short = (drawn(FaceGenerator(network, CPU, dtype), asked) for dtype in (torch.float32, torch.bfloat16))
    assert 0 < np.abs(exact - short).max() <= LARGEST_DIFFERENCE


@pytest.mark.skipif(not can_pack(), reason="bfloat16 is used through oneDNN only")
def test_weights_that_bfloat16_does_no_justice_are_used_in_float32(
    network: Wav2LipNetwork, smile: HeldPresenter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("heygem_pipeline.lipsync.wav2lip.network.inference.LARGEST_DIFFERENCE", 1e-3)
    asked, generator = faces_of(smile, 2), FaceGenerator(network, CPU, torch.bfloat16)
    np.testing.assert_array_equal(drawn(generator, asked), drawn(FaceGenerator(network, CPU, torch.float32), asked))
    assert str(generator) == "cpu float32"
    assert "float32" in caplog.text


def test_half_precision_is_used_where_it_is_quick() -> None:
    assert default_precision(torch.device("cuda:1")) is torch.float16
    assert default_precision(torch.device("mps")) is torch.float32
    assert default_precision(CPU) in (torch.bfloat16, torch.float32)


class Hungry(Wav2LipNetwork):
    """Needs a gigabyte a face, and there are three."""

    room = 3

    def forward(self, mels: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
        if len(mels) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB.")
        return super().forward(mels, faces)


def hungry(network: Wav2LipNetwork) -> Hungry:
    made = Hungry()
    made.load_state_dict(network.state_dict())
    return made.eval().requires_grad_(False)


def test_a_batch_too_large_for_the_memory_is_halved_and_every_face_is_drawn(
    network: Wav2LipNetwork, smile: HeldPresenter
) -> None:
    asked = faces_of(smile, 5)
    generator = FaceGenerator(hungry(network), CPU, torch.float32, batch=4)
    expected = drawn(FaceGenerator(network, CPU, torch.float32, batch=2), asked)
    np.testing.assert_allclose(drawn(generator, asked), expected, atol=0.02)
    assert generator.batch == 2


def test_no_memory_even_for_one_face_is_told(
    network: Wav2LipNetwork, smile: HeldPresenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hungry, "room", 0)
    with pytest.raises(DeviceUnusable, match="HEYGEM_DEVICE"):
        FaceGenerator(hungry(network), CPU, torch.float32, batch=4).generate_faces(faces_of(smile, 2))
