"""What learning is told: value, TD error, neuromodulators and whatever else a network has a number for, over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...errors import BadInput, unknown
from .reading import window_of
from .style import COLOURS, Printed, Width, drawn, mark_begins, name_panel, thinned

if TYPE_CHECKING:
    from .reading import Told

SHOWN = ("reward", "value", "td_error", "modulator.critic", "modulator.others")
NAMES = {
    "td_error": "TD error", "modulator.critic": "neuromodulator (critic)", "modulator.others": "neuromodulator (others)",
}  # fmt: skip


def plot_signals(
    signals: Told | Mapping[str, ArrayLike], *names: str, first: int = 0, last: int | None = None,
    title: str = "", width: Width = "two",
) -> Printed:  # fmt: skip
    """One panel a signal, over time.

    `signals`: a recording, its path, `Turns`, or arrays by name, one number a control step. `names`: which ones; the default
    is reward, value, TD error and neuromodulators, as far as they are there. `first`, `last`: control steps. Raises `BadInput`.
    """
    known, x, begins, label = _signals(signals, first, last)
    for name in names:
        if name not in known:
            raise BadInput(f"names: {unknown('signal', name, known)}")
    shown: Sequence[str] = names or [name for name in SHOWN if name in known] or list(known)
    if not shown or not x.size:
        raise BadInput("holds no signals: neither a reward nor numbers of a network")
    with drawn(width, 0.85 * len(shown) + 0.45, title) as figure:
        panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for n, (panel, name) in enumerate(zip(panels, shown, strict=True)):
            panel.axhline(0.0, color="0.8", linewidth=0.5, zorder=0)
            panel.step(*thinned(x, known[name]), where="post", color=COLOURS[n % len(COLOURS)], linewidth=0.8)
            mark_begins(panel, begins)
            name_panel(panel, NAMES.get(name, name))
        panels[-1].set_xlabel(label)
        panels[-1].set_xlim(x[0], x[-1] if x.size > 1 else x[0] + 1.0)
        figure.align_ylabels()
    return figure


def _signals(
    signals: Any, first: int, last: int | None
) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64], NDArray[np.float64], str]:
    if not isinstance(signals, Mapping):
        turns = window_of(signals, first, last, "numbers")
        return {"reward": turns.reward, **turns.numbers}, turns.at, turns.begins, turns.time_label
    arrays = {str(name): np.asarray(array, np.float64).ravel() for name, array in signals.items()}
    sizes = {array.size for array in arrays.values()}
    if len(sizes) != 1:
        raise BadInput(
            f"signals: must be of one length, got {', '.join(str(size) for size in sorted(sizes)) or 'none'}"
        )
    arrays = {name: array[first:last] for name, array in arrays.items()}
    at = np.arange(first, first + next(iter(arrays.values())).size, dtype=np.float64)
    return arrays, at, np.zeros(0), "control step"
