"""Pictures shrink to the exact mean of the light on each pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop import BadInput
from neuroloop.sensors.scaling import Scaler


def by_repeating(frame, width, height):
    """The mean over areas the plain way: repeat pixels until borders meet, then average blocks."""
    tall = np.repeat(np.repeat(frame.astype(float), height, axis=0), width, axis=1)
    h, w = frame.shape[:2]
    return tall.reshape(height, h, width, w, *frame.shape[2:]).mean(axis=(1, 3))


@given(data=st.data(), seed=st.integers(0, 2**32))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_every_pixel_is_the_mean_of_the_light_on_its_area(data, seed):
    height, width = data.draw(st.integers(1, 23)), data.draw(st.integers(1, 23))
    size = data.draw(st.integers(1, width)), data.draw(st.integers(1, height))
    shape = (height, width, *data.draw(st.sampled_from([(), (3,)])))
    frame = np.random.default_rng(seed).integers(256, size=shape).astype(np.uint8)
    expected = by_repeating(frame, *size) / 255
    scaler = Scaler(shape, size)
    np.testing.assert_allclose(scaler(frame), expected, atol=2e-6)  # float32 sums of up to 23 × 23 pixels
    np.testing.assert_allclose(scaler((frame / 255).astype(np.float32)), expected, atol=2e-6)
    assert scaler(frame).shape == (size[1], size[0], *shape[2:])


def test_white_stays_white_and_within_the_range():
    scaler = Scaler((7, 11, 3), (3, 2))
    assert scaler(np.full((7, 11, 3), 255, np.uint8)).max() <= 1.0
    np.testing.assert_allclose(scaler(np.ones((7, 11, 3), np.float32)), 1.0, atol=1e-6)


def test_pictures_do_not_grow():
    with pytest.raises(BadInput, match=r"^size: must be at most the picture's own \(11, 7\), got \(12, 7\)"):
        Scaler((7, 11), (12, 7))
