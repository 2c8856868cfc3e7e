"""Template frames and mouth patches together: the frames of the finished clip."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.lipsync.engine import MouthPatch
from heygem_pipeline.media.template import Template


def compose(template: Template, patches: Iterable[MouthPatch], count: int) -> Iterator[NDArray[np.uint8]]:
    """Yield ``count`` frames, uint8 (height, width, 3) BGR: the template's pixels, and in the patch the patch's.

    Raises ValueError if a patch was made for another template frame than the one it meets.
    """
    for (template_frame, frame), patch in zip(template.presentation(count), patches, strict=True):
        if patch.template_frame != template_frame:
            raise ValueError(
                f"patch {patch.output_frame} belongs on frame {patch.template_frame}, not {template_frame}"
            )
        if patch.pixels is not None:
            height, width = patch.pixels.shape[:2]
            frame[patch.top : patch.top + height, patch.left : patch.left + width] = patch.pixels
        yield frame
