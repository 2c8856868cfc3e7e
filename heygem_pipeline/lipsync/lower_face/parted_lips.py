"""Whether a template's own lips touch."""

import numpy as np
from numpy.typing import NDArray

from heygem_pipeline.easing import smoothstep
from heygem_pipeline.faces.mouth_measure import measure_mouth
from heygem_pipeline.faces.tracks import FaceTracks

TOUCHING_MEASURED_GAP, PARTED_MEASURED_GAP = 0.045, 0.085
"""IOD between the inner lips' landmarks up to which lips touch, and from which they are parted: as for ``warp``."""


def parted_lips(tracks: FaceTracks) -> NDArray[np.floating]:
    """Floats (frames,): 0 = the template's own lips touch, 1 = they are apart."""
    if not tracks.present.any():
        return np.zeros(len(tracks))
    return smoothstep(TOUCHING_MEASURED_GAP, PARTED_MEASURED_GAP, np.nan_to_num(measure_mouth(tracks).gap))
