"""Weights that an agent's file gives by rows, one for each presynaptic neuron; each population takes its columns.

Columns are for neurons, or for groups of a population that the decoder reads; or, where it reads pairs of groups, for pairs:
the group that pulls up gets the number, the one that pulls down its opposite.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from ...errors import ConfigError
from ...settings import Conjunctive, OneEncoder, ProjectionConfig


def check_weights(path: str, config: ProjectionConfig, encoders: Sequence[OneEncoder]) -> None:
    """Raise `ConfigError` for weights beyond bounds, and for rows where presynaptic neurons have no fixed order."""
    (low, high), given = config.bounds, config.weights
    for weight in [w for row in given for w in row] if isinstance(given, tuple) else [given]:
        if not low <= weight <= high:
            raise ConfigError(f"{path}.weights: must lie within bounds, got {weight}")
    if not isinstance(given, tuple):
        return
    if any(isinstance(encoder, Conjunctive) for encoder in encoders):
        raise ConfigError(
            f"{path}.weights: cells of the conjunctive encoder are numbered as they are met; give one number"
        )
    if len(encoders) > 1:
        raise ConfigError(
            f"{path}.pre: must be one part of the encoder, such as 'encoder.NAME', where weights are given by rows"
        )


def shares_of(
    name: str, config: ProjectionConfig, n_pre: int, posts: Sequence[tuple[int, int]]
) -> list[ProjectionConfig]:
    """The projection onto each of `posts`, (columns, neurons); a column is for neighbouring neurons, as many for each."""
    if not isinstance(config.weights, tuple):
        return [config] * len(posts)
    rows, columns = config.weights, [n for n, _ in posts]
    if columns == [2] * len(posts) and all(len(row) == len(posts) for row in rows):
        rows = tuple(tuple(sign * weight for weight in row for sign in (1.0, -1.0)) for row in rows)
    if len(rows) != n_pre or any(len(row) != sum(columns) for row in rows):
        sizes = " or ".join(str(size) for size in sorted({len(row) for row in rows})) or "none"
        raise ConfigError(
            f"projection.{name}.weights: needs {n_pre} rows, one for each neuron of {config.pre!r}, of {sum(columns)} numbers, "
            f"got {len(rows)} rows of {sizes}"
        )
    parts = np.split(np.array(rows, np.float64), np.cumsum(columns)[:-1], axis=1)
    wide = (part.repeat(n // k, axis=1) for part, (k, n) in zip(parts, posts, strict=True))
    return [msgspec.structs.replace(config, weights=tuple(map(tuple, part.tolist()))) for part in wide]
