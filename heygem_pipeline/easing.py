"""How whatever fades in or out does so without a visible edge."""

from typing import Any, TypeVar, overload

import numpy as np
from numpy.typing import NDArray

Floating = TypeVar("Floating", bound=np.floating)


@overload
def smoothstep(low: float, high: float, x: float) -> float: ...
@overload
def smoothstep(low: float, high: float | NDArray[Floating], x: NDArray[Floating]) -> NDArray[Floating]: ...
def smoothstep(low: float, high: float | NDArray[Any], x: float | NDArray[Any]) -> float | NDArray[Any]:
    """Return 0 where ``x`` is at most ``low``, 1 from ``high`` on, and between them a rise that is level at both ends.

    As ``x``, so is what is returned: a number, or an array of that shape and dtype; NaN stays NaN. ``high`` may differ
    from place to place. Hermite interpolation, 3t² - 2t³: ``smoothstep`` of the OpenGL Shading Language, and of Ebert
    et al., Texturing and Modeling: A Procedural Approach.
    """
    share = (x - low) / (high - low)
    if not isinstance(share, np.ndarray):
        share = min(max(share, 0.0), 1.0)
        return float(share * share * (3 - 2 * share))
    # In place: a quarter of what is drawn goes through here.
    np.maximum(share, 0, out=share)
    np.minimum(share, 1, out=share)
    level = 3 - 2 * share
    share *= share
    share *= level
    return share
