"""Light as pictures for a screen, and back: sRGB (IEC 61966-2-1).

c = 12.92 I up to I = 0.0031308, 1.055 I^(1/2.4) − 0.055 above; a byte is 255 c.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

LUMA = (0.2126, 0.7152, 0.0722)  # of linear red, green and blue (ITU-R BT.709)


def code_of(light: Any) -> Any:
    """What a screen is given, 0 to 1, for linear light from 0 to 1."""
    light = np.asarray(light, np.float64)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 0.0031308) ** (1.0 / 2.4) - 0.055)


def light_of(code: float) -> float:
    """Linear light of a channel of a colour, both from 0 to 1."""
    return code / 12.92 if code <= 0.04045 else float(((code + 0.055) / 1.055) ** 2.4)


_BYTES = np.rint(255.0 * code_of(np.linspace(0.0, 1.0, 4096))).astype(np.uint8)  # three times as fast as the power


def picture(light: NDArray[np.float32], channels: int = 3) -> NDArray[np.uint8]:
    """uint8[height, width, channels] for a screen or as an observation, from light of shape (height, width).

    Light is told in 4096 steps, so a byte may differ by 1 from the formula's.
    """
    coded = _BYTES[(np.clip(light, 0.0, 1.0) * 4095.0 + 0.5).astype(np.int32)][:, :, None]
    return coded if channels == 1 else np.repeat(coded, channels, axis=2)
