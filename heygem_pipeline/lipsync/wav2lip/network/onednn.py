"""The folded network for x86 processors, through oneDNN: weights laid out once, sum and ReLU inside the convolution.

The operators are those into which torch.compile turns such a network on a processor; calling them needs no compiler
on the machine. They saved a third of the time against PyTorch's usual ones (docs/performance.md).
"""

# torch is an extra: the checker may not find it.
# pyright: reportMissingImports=false

from copy import deepcopy

import torch
from torch import Tensor, nn

from heygem_pipeline.lipsync.wav2lip.network.batch_norm_folding import fold_convolution
from heygem_pipeline.lipsync.wav2lip.network.model import (
    FACE_SIDE,
    MEL_BANDS,
    MEL_COLUMNS,
    Block,
    UpwardBlock,
    Wav2LipNetwork,
)

_RELU = ("relu", [], "")


class PackedBlock(nn.Module):
    """A folded block as one operator."""

    def __init__(self, block: Block | UpwardBlock, shape: tuple[int, ...], dtype: torch.dtype) -> None:
        """Lay out a block's weights.

        Args:
            shape: of the input at the batch size it will mostly see, for which the weights are laid out.
        """
        super().__init__()
        convolution = fold_convolution(block)
        self.residual = isinstance(block, Block) and block.residual
        self.bias = convolution.bias.to(dtype) if convolution.bias is not None else None
        self.how = [list(convolution.padding), list(convolution.stride), list(convolution.dilation), convolution.groups]
        self.output_padding = None
        weight = convolution.weight.to(dtype).contiguous(memory_format=torch.channels_last)
        if isinstance(convolution, nn.ConvTranspose2d):
            self.output_padding = list(convolution.output_padding)
            self.weight = weight
        else:
            lay_out = torch._C._nn.mkldnn_reorder_conv2d_weight  # pyright: ignore[reportAttributeAccessIssue]
            self.weight = lay_out(weight.to_mkldnn(), *self.how, list(shape))

    def forward(self, x: Tensor) -> Tensor:
        """As the block's, in channels-last order."""
        operators = torch.ops.mkldnn
        if self.output_padding is not None:
            padding, *rest = self.how
            return operators._convolution_transpose_pointwise(
                x, self.weight, self.bias, padding, self.output_padding, *rest, *_RELU
            )
        if self.residual:
            return operators._convolution_pointwise.binary(x, x, self.weight, self.bias, *self.how, "add", 1.0, *_RELU)
        return operators._convolution_pointwise(x, self.weight, self.bias, *self.how, *_RELU)


def can_pack() -> bool:
    """Whether this PyTorch has the operators, on this processor."""
    there = hasattr(torch.ops.mkldnn, "_convolution_pointwise") and hasattr(
        torch.ops.mkldnn, "_convolution_transpose_pointwise"
    )
    return there and torch.backends.mkldnn.is_available() and torch.backends.cpu.get_cpu_capability().startswith("AVX")


def pack(network: Wav2LipNetwork, batch: int, dtype: torch.dtype) -> Wav2LipNetwork:
    """Return a copy of a network in evaluation, folded and packed for batches of this size; other sizes are slower.

    Its inputs and outputs are of ``dtype`` (float32 or bfloat16); its last convolution stays in float32.
    """
    copy, shapes = deepcopy(network), _input_shapes(network)
    for parent_name, parent in list(copy.named_modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, Block | UpwardBlock):
                shape = shapes[f"{parent_name}.{name}"]
                setattr(parent, name, PackedBlock(child, (batch, *shape[1:]), dtype))
    return copy


def _input_shapes(network: Wav2LipNetwork) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}

    def note(name: str) -> None:
        blocks[name].register_forward_pre_hook(lambda _, given: shapes.update({name: tuple(given[0].shape)}))

    traced = deepcopy(network)
    blocks = {name: part for name, part in traced.named_modules() if isinstance(part, Block | UpwardBlock)}
    for name in blocks:
        note(name)
    traced(torch.zeros(1, 1, MEL_BANDS, MEL_COLUMNS), torch.zeros(1, 6, FACE_SIDE, FACE_SIDE))
    return shapes
