"""Wav2Lip's network, written anew from its published shape, so that its public weights fit (Prajwal et al. 2020).

A face encoder looks at the face, a speech encoder at 200 ms of mel; a decoder draws the face anew from both, taking the
face encoder's features in again at every size.
"""

# torch is an extra: the checker may not find it.
# pyright: reportMissingImports=false

import torch
from torch import Tensor, nn

FACE_SIDE = 96
"""Pixels: height and width of the faces read and drawn."""
MEL_BANDS, MEL_COLUMNS = 80, 16
"""What the network hears for one frame: 16 columns of 1/80 s."""

PARAMETERS = 36_298_035


class Block(nn.Module):
    """A convolution, batch norm, the input added where ``residual``, and ReLU."""

    def __init__(
        self,
        inward: int,
        outward: int,
        kernel: int = 3,
        stride: int | tuple[int, int] = 1,
        padding: int = 1,
        residual: bool = False,
    ) -> None:
        super().__init__()
        convolution = nn.Conv2d(inward, outward, kernel, stride, padding)
        self.conv_block = nn.Sequential(convolution, nn.BatchNorm2d(outward))
        self.residual = residual

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inward, height, width) to (batch, outward, height', width')."""
        out = self.conv_block(x)
        return torch.relu(out + x if self.residual else out)


class UpwardBlock(nn.Module):
    """A transposed convolution, batch norm and ReLU."""

    def __init__(self, inward: int, outward: int, stride: int = 2, padding: int = 1, output_padding: int = 1) -> None:
        super().__init__()
        convolution = nn.ConvTranspose2d(inward, outward, 3, stride, padding, output_padding)
        self.conv_block = nn.Sequential(convolution, nn.BatchNorm2d(outward))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, inward, height, width) to (batch, outward, height', width')."""
        return torch.relu(self.conv_block(x))


def _residuals(width: int, count: int) -> list[nn.Module]:
    return [Block(width, width, residual=True) for _ in range(count)]


def _downward(inward: int, outward: int, residuals: int) -> nn.Sequential:
    return nn.Sequential(Block(inward, outward, stride=2), *_residuals(outward, residuals))


def _upward(inward: int, outward: int, residuals: int) -> nn.Sequential:
    return nn.Sequential(UpwardBlock(inward, outward), *_residuals(outward, residuals))


class Wav2LipNetwork(nn.Module):
    """36 298 035 parameters; the names of the parts are those of the public checkpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.face_encoder_blocks = nn.ModuleList(
            [
                nn.Sequential(Block(6, 16, kernel=7, padding=3)),
                _downward(16, 32, residuals=2),
                _downward(32, 64, residuals=3),
                _downward(64, 128, residuals=2),
                _downward(128, 256, residuals=2),
                _downward(256, 512, residuals=1),
                nn.Sequential(Block(512, 512, padding=0), Block(512, 512, kernel=1, padding=0)),
            ]
        )
        self.audio_encoder = nn.Sequential(
            Block(1, 32),
            *_residuals(32, 2),
            Block(32, 64, stride=(3, 1)),
            *_residuals(64, 2),
            Block(64, 128, stride=3),
            *_residuals(128, 2),
            Block(128, 256, stride=(3, 2)),
            *_residuals(256, 1),
            Block(256, 512, padding=0),
            Block(512, 512, kernel=1, padding=0),
        )
        self.face_decoder_blocks = nn.ModuleList(
            [
                nn.Sequential(Block(512, 512, kernel=1, padding=0)),
                nn.Sequential(UpwardBlock(1024, 512, stride=1, padding=0, output_padding=0), *_residuals(512, 1)),
                _upward(1024, 512, residuals=2),
                _upward(768, 384, residuals=2),
                _upward(512, 256, residuals=2),
                _upward(320, 128, residuals=2),
                _upward(160, 64, residuals=2),
            ]
        )
        self.output_block = nn.Sequential(Block(80, 32), nn.Conv2d(32, 3, 1), nn.Sigmoid())

    def forward(self, mels: Tensor, faces: Tensor) -> Tensor:
        """Draw faces that say what is heard.

        Args:
            mels: (batch, 1, 80, 16), -4..4.
            faces: (batch, 6, 96, 96), BGR, 0..1: first the face with its lower half black, then the whole face.

        Returns:
            (batch, 3, 96, 96), BGR, 0..1, in the last convolution's precision.
        """
        features = []
        for block in self.face_encoder_blocks:
            faces = block(faces)
            features.append(faces)
        drawn = self.audio_encoder(mels)
        for block in self.face_decoder_blocks:
            drawn = torch.cat([block(drawn), features.pop()], dim=1)
        block, last, squash = self.output_block
        # A level is 1/255, and bfloat16 knows only every 1/256 between 0.5 and 1: the last step is taken in float32.
        return squash(last(block(drawn).to(last.weight.dtype)))
