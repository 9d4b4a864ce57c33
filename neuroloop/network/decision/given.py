"""Weights that an agent's file gives by rows, one for each presynaptic neuron: each postsynaptic population takes its columns."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from ...errors import ConfigError
from ...settings import ProjectionConfig


def shares_of(
    name: str, config: ProjectionConfig, n_pre: int, posts: Sequence[tuple[int, int]]
) -> list[ProjectionConfig]:
    """The projection onto each of `posts`, (columns, neurons); a column is for neighbouring neurons, as many for each."""
    if not isinstance(config.weights, tuple):
        return [config] * len(posts)
    rows, columns = config.weights, [n for n, _ in posts]
    if len(rows) != n_pre or any(len(row) != sum(columns) for row in rows):
        sizes = " or ".join(str(size) for size in sorted({len(row) for row in rows})) or "none"
        raise ConfigError(
            f"projection.{name}.weights: needs {n_pre} rows, one for each neuron of {config.pre!r}, of {sum(columns)} numbers, "
            f"got {len(rows)} rows of {sizes}"
        )
    parts = np.split(np.array(rows, np.float64), np.cumsum(columns)[:-1], axis=1)
    wide = (part.repeat(n // k, axis=1) for part, (k, n) in zip(parts, posts, strict=True))
    return [msgspec.structs.replace(config, weights=tuple(map(tuple, part.tolist()))) for part in wide]
