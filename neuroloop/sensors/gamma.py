"""Pictures for screens are encoded: this tells the light that their bytes stand for.

"srgb" (IEC 61966-2-1): I = c / 12.92 up to c = 0.04045, ((c + 0.055) / 1.055)^2.4 above, c the byte / 255. A number γ: I = c^γ.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from ..errors import BadInput

Gamma = float | Literal["srgb"]
LEAST, GREATEST = 0.1, 10.0
_CODES = np.arange(256) / 255.0


def light_of_bytes(gamma: Any) -> NDArray[np.float32]:
    """The light, from 0 to 1, of each of the 256 bytes. Raises `BadInput`."""
    if gamma == "srgb":
        light = np.where(_CODES <= 0.04045, _CODES / 12.92, ((_CODES + 0.055) / 1.055) ** 2.4)
    elif isinstance(gamma, int | float) and not isinstance(gamma, bool) and LEAST <= gamma <= GREATEST:
        light = _CODES ** float(gamma)
    else:
        raise BadInput(f'gamma: must be "srgb", or a number from {LEAST:g} to {GREATEST:g} (1: linear), got {gamma!r}')
    return light.astype(np.float32)
