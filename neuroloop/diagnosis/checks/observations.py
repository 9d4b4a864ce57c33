"""Observations: whether they move, within the ranges in use, and whether anything is ever seen again."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..findings import Finding, Limits, Severity
from ..record import Observed, Record

SPREAD = Limits(warning=0.04, problem=0.0, unit="of the range in use", highest=Severity.WARNING)
OUTSIDE = Limits(warning=0.3, problem=0.6, unit="of the decisions")
NEW = Limits(warning=0.05, problem=0.15, unit="of the active cells")
MANY = 20  # decisions below which nothing is said


def constant(record: Record) -> Iterator[Finding]:
    """Dimensions that never move."""
    observed = record.observed
    if observed is None or record.n < MANY:
        return
    still = _still(observed)
    if not still.any():
        yield Finding("observation moves", "", Severity.FINE, 0.0, "dimensions never do", "0")
        return
    severity = Severity.PROBLEM if still.all() else Severity.WARNING
    for d in np.flatnonzero(still):
        yield Finding(
            "observation moves", observed.names[d], severity, float(observed.values[0, d]), "at every decision", "it varies",
            "a dimension that never moves says nothing, and dilutes the cells that combine it with others"
            if severity is Severity.WARNING else "nothing that is observed ever moves: every state looks the same",
            "mend the sensor, or leave the dimension out in a wrapper (gymnasium.wrappers.TransformObservation)",
        )  # fmt: skip


def squeezed(record: Record) -> Iterator[Finding]:
    """Dimensions that use next to nothing of their range: a range too wide, or stray values that stretched it."""
    observed = record.observed
    if observed is None or observed.low is None or observed.high is None or record.n < MANY:
        return
    low, high = np.percentile(observed.values, [2.5, 97.5], axis=0)
    share = (high - low) / np.maximum(observed.high - observed.low, 1e-12)
    moving = ~_still(observed) & ~observed.discrete & (np.abs(observed.values - observed.values[0]) > 0).any(axis=0)
    for d in np.flatnonzero(moving):
        values = observed.values[:, d]
        if np.unique(values[:1000]).size <= 2:  # a switch: most of the time in one place
            continue
        yield SPREAD.finding(
            "observation spreads", observed.names[d], float(share[d]),
            f"95 % of the values lie within [{low[d]:.4g}, {high[d]:.4g}], but the range in use is "
            f"[{observed.low[d]:.4g}, {observed.high[d]:.4g}]: most states fall into one and the same tile",
            "set encoder.normalise.low and high closer" if observed.fixed_ranges
            else "set the range by hand: encoder.normalise = { kind = \"fixed\", low = […], high = […] }, or clip stray "
            "values before the agent sees them: gymnasium.wrappers.TransformObservation with numpy.clip",
        )  # fmt: skip


def outside(record: Record) -> Iterator[Finding]:
    """Values beyond the range in use are seen as its end."""
    observed = record.observed
    if observed is None or observed.low is None or observed.high is None or record.awake.sum() < MANY:
        return
    values = observed.values[record.late]
    beyond = ((values < observed.low) | (values > observed.high)).mean(axis=0)
    for d in np.flatnonzero(~_still(observed) & ~observed.discrete):
        yield OUTSIDE.finding(
            "observation in range", observed.names[d], float(beyond[d]),
            f"values outside of [{observed.low[d]:.4g}, {observed.high[d]:.4g}] look like its end",
            f"`--set 'encoder.normalise={{kind=\"adaptive\"}}'`, or a range that holds [{values[:, d].min():.4g}, "
            f"{values[:, d].max():.4g}]",
        )  # fmt: skip


def always_new(record: Record) -> Iterator[Finding]:
    """Cells that fire for the first time, for ever."""
    if record.first_seen is None or not record.awake.any():
        return
    new = float(record.first_seen[record.late].mean())
    yield NEW.finding(
        "cells seen before", "", new,
        "so many of the active cells never fired before: what is learned in one state is not met again",
        f"fewer dimensions a module, coarser tiles{_coarser(record)}, or fewer dimensions in the observation",
    )  # fmt: skip


def _coarser(record: Record) -> str:
    """Settings that do so, unless the agent has them."""
    wanted = {"encoder.dimensions": [0.5, 0.5], "encoder.tiles": [3, 4]}
    if all(list(record.settings.get(path, ())) == value for path, value in wanted.items()):
        return ""
    return ": `--set encoder.dimensions=[0.5,0.5] --set encoder.tiles=[3,4]`"


def _still(observed: Observed) -> np.ndarray:
    return np.asarray(np.ptp(observed.values, axis=0) == 0.0)
