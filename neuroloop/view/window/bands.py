"""Bands one below the other in a picture, each with a caption above it: spikes of populations, weights of projections."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .colours import Pixels, to_bytes

LATEST = 256  # control steps that a raster shows
MOST_NEURONS = 512  # of a population, of which a raster keeps spikes: beyond that, every second, or third, …
WIDTH = 512  # px of a picture
TALL = 280  # px of all bands, without captions, if they need no more
LEAST, MOST = 16, 140  # px of a band
CAPTION, LETTERS = 22, 14  # px above a band, and of the letters in it


def banded(bands: Mapping[str, Pixels], ground: int) -> Pixels:
    """Bands of bytes as one picture of WIDTH, each below its name; `ground`: what lies between them."""
    height = int(np.clip(TALL // max(len(bands), 1), LEAST, MOST))
    parts = [part for name, band in bands.items() for part in (caption(name, ground), stretched(band, height))]
    return np.concatenate(parts) if parts else np.full((CAPTION, WIDTH), ground, np.uint8)


def stretched(band: Pixels, height: int) -> Pixels:
    """A band of `height` × WIDTH px: rows and columns are repeated, or picked evenly."""
    rows, columns = band.shape
    if not rows or not columns:
        return np.zeros((height, WIDTH), np.uint8)
    picked: Pixels = band[np.arange(height) * rows // height][:, np.arange(WIDTH) * columns // WIDTH]
    return picked


@functools.lru_cache(maxsize=256)
def caption(text: str, ground: int) -> Pixels:
    """Letters on the ground, as far from it as bytes go."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (WIDTH, CAPTION), ground)
    ImageDraw.Draw(picture).text((2, 3), text, fill=255, font=ImageFont.load_default(LETTERS))
    return np.array(picture)


class Raster:
    """Spikes of the latest control steps that were seen, newest on the right."""

    def __init__(self, populations: Mapping[str, int]) -> None:
        self._sizes = dict(populations)
        self._picks = {name: max(1, n // MOST_NEURONS) for name, n in populations.items()}
        self._rows = {name: np.zeros((-(-n // self._picks[name]), LATEST), np.uint8) for name, n in populations.items()}
        self._next = 0

    def note(self, counts: Mapping[str, NDArray[np.integer]]) -> None:
        """Spikes of each neuron in a control step, by population."""
        for name, rows in self._rows.items():
            seen = counts.get(name)
            rows[:, self._next % LATEST] = 0 if seen is None else np.minimum(seen[:: self._picks[name]], 255)
        self._next += 1

    def bands(self) -> dict[str, Pixels]:
        """A band for each population, from its fewest to its most spikes, which its caption tells."""
        bands = {}
        for name, rows in self._rows.items():
            used = rows if self._next >= LATEST else rows[:, : max(self._next, 1)]
            least, most = int(used.min()), int(used.max())
            ordered = np.roll(rows, -(self._next % LATEST), axis=1).astype(np.float32)
            bands[f"{name}: {self._sizes[name]} neurons, {least} … {most} spikes"] = to_bytes(
                ordered, least, max(most, least + 1)
            )
        return bands


class Rolled:
    """A long vector in the latest control steps that were seen, newest on the right."""

    def __init__(self, n: int) -> None:
        self._n, self._pick = n, max(1, n // MOST_NEURONS)
        self._rows = np.full((-(-n // self._pick), LATEST), np.nan, np.float32)
        self._next = 0

    def note(self, values: NDArray[Any]) -> None:
        """The vector of a control step."""
        self._rows[:, self._next % LATEST] = np.ravel(values)[:: self._pick]
        self._next += 1

    def bands(self) -> dict[str, Pixels]:
        """One band, from the least to the greatest number in it."""
        seen = self._rows[np.isfinite(self._rows)]
        least, most = (float(seen.min()), float(seen.max())) if seen.size else (0.0, 1.0)
        ordered = np.nan_to_num(np.roll(self._rows, -(self._next % LATEST), axis=1), nan=least)
        return {f"{self._n} numbers, {least:.3g} … {most:.3g}": to_bytes(ordered, least, max(most, least + 1e-9))}


def weight_bands(weights: Mapping[str, NDArray[np.float32]], whole: Mapping[str, tuple[int, int]]) -> dict[str, Pixels]:
    """A band for each projection: a row a neuron, a column an input; its colours end at its greatest weight."""
    bands = {}
    for name, shown in weights.items():
        most = max(float(np.abs(shown[np.isfinite(shown)]).max(initial=0.0)), 1e-30)
        rows, columns = whole.get(name, shown.shape)
        some = "" if rows == shown.shape[0] else f" ({shown.shape[0]} shown)"
        bands[f"{name}: {rows} inputs{some} to {columns} neurons, ±{most:.3g}"] = to_bytes(shown.T, -most, most)
    return bands
