"""Bands one below the other in a picture, each with a caption above it: spikes of populations, weights of projections."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from .colours import Pixels, to_bytes

LATEST = 256  # control steps that a raster shows
MOST_ROWS = 128  # of a band; neighbours share rows where there are more
WIDTH = 512  # px of a picture
CAPTION, LETTERS = 22, 14  # px above a band, and of the letters in it
LEAST = 64  # px of a band's height


def banded(bands: Mapping[str, Pixels], ground: int) -> Pixels:
    """Bands of bytes as one picture of WIDTH, each below its name; `ground`: what lies between them."""
    parts = []
    for name, band in bands.items():
        parts.append(caption(name, ground))
        parts.append(stretched(band))
    return np.concatenate(parts) if parts else np.full((CAPTION, WIDTH), ground, np.uint8)


def stretched(band: Pixels) -> Pixels:
    """A band of WIDTH and at least LEAST px, with rows and columns repeated."""
    rows, columns = band.shape
    tall = np.repeat(band, max(1, -(-LEAST // max(rows, 1))), axis=0)
    return tall[:, np.arange(WIDTH) * columns // WIDTH] if columns else np.zeros((len(tall), WIDTH), np.uint8)


@functools.lru_cache(maxsize=256)
def caption(text: str, ground: int) -> Pixels:
    """Letters on the ground, in the colour farthest from it."""
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.new("L", (WIDTH, CAPTION), ground)
    ImageDraw.Draw(picture).text((2, 3), text, fill=255, font=ImageFont.load_default(LETTERS))
    drawn = np.array(picture)
    return np.where(drawn > (ground + 255) // 2, np.uint8(255), np.uint8(ground))


class Raster:
    """Spikes of the latest control steps that were seen, newest on the right."""

    def __init__(self, populations: Mapping[str, int]) -> None:
        self._shares = {name: max(1, -(-n // MOST_ROWS)) for name, n in populations.items()}
        self._rows = {
            name: np.zeros((-(-n // self._shares[name]), LATEST), np.uint8) for name, n in populations.items()
        }
        self._next = 0

    def note(self, counts: Mapping[str, NDArray[np.integer]]) -> None:
        """Spikes of each neuron in a control step, by population."""
        column = self._next % LATEST
        for name, rows in self._rows.items():
            share, seen = self._shares[name], counts.get(name)
            if seen is None:
                rows[:, column] = 0
            elif share == 1:
                rows[:, column] = np.minimum(seen, 255)
            else:
                rows[:, column] = np.minimum(np.maximum.reduceat(seen, np.arange(0, seen.size, share)), 255)
        self._next += 1

    def bands(self) -> dict[str, Pixels]:
        """A band for each population, from its fewest to its most spikes, which its caption tells."""
        bands = {}
        for name, rows in self._rows.items():
            used = rows if self._next >= LATEST else rows[:, : max(self._next, 1)]
            least, most, share = int(used.min()), int(used.max()), self._shares[name]
            neurons = f"{len(rows)} neurons" if share == 1 else f"{len(rows)} rows of {share} neurons"
            ordered = np.roll(rows, -(self._next % LATEST), axis=1).astype(np.float32)
            bands[f"{name}: {neurons}, {least} … {most} spikes"] = to_bytes(ordered, least, max(most, least + 1))
        return bands


def weight_bands(weights: Mapping[str, NDArray[np.float32]], whole: Mapping[str, tuple[int, int]]) -> dict[str, Pixels]:
    """A band for each projection: a row a neuron, a column an input; its colours end at its greatest weight."""
    bands = {}
    for name, shown in weights.items():
        most = max(float(np.abs(shown[np.isfinite(shown)]).max(initial=0.0)), 1e-30)
        rows, columns = whole.get(name, shown.shape)
        some = "" if rows == shown.shape[0] else f" ({shown.shape[0]} shown)"
        bands[f"{name}: {rows} inputs{some} to {columns} neurons, ±{most:.3g}"] = to_bytes(shown.T, -most, most)
    return bands
