"""The same network with less to compute: batch norm folded into the convolutions before it."""

# torch is an extra: the checker may not find it.
# pyright: reportMissingImports=false

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from heygem_pipeline.lipsync.wav2lip.network.model import Block, UpwardBlock, Wav2LipNetwork


class FoldedBlock(nn.Module):
    """A convolution that does its batch norm's work, the input added where ``residual``, and ReLU."""

    def __init__(self, block: Block | UpwardBlock) -> None:
        super().__init__()
        self.convolution = fold_convolution(block)
        self.residual = isinstance(block, Block) and block.residual

    def forward(self, x: Tensor) -> Tensor:
        """As the block's."""
        out = self.convolution(x)
        return torch.relu_(out.add_(x) if self.residual else out)


def fold_convolution(block: Block | UpwardBlock) -> nn.Conv2d | nn.ConvTranspose2d:
    """The block's convolution with its batch norm's scale and shift in weight and bias."""
    convolution, norm = block.conv_block
    assert isinstance(convolution, nn.Conv2d | nn.ConvTranspose2d)
    assert isinstance(norm, nn.BatchNorm2d)
    return fuse_conv_bn_eval(convolution, norm, transpose=isinstance(block, UpwardBlock))


def fold_batch_norms(network: Wav2LipNetwork) -> Wav2LipNetwork:
    """Return a copy of a network in evaluation whose blocks are folded."""
    copy = deepcopy(network)
    for parent in list(copy.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Block | UpwardBlock):
                setattr(parent, name, FoldedBlock(child))
    return copy
