"""Reads recordings into columns: few numbers of every tick at once, what is large a tick at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import arguments
from ...errors import BadInput, RecordingError
from ...loop.timing import TIMING
from ...recording.recorded import Recorded
from ...types import Timed
from .turns import Clock, Part, Turns, fired_of

if TYPE_CHECKING:
    from ...recording.reader import Recording

    Told = str | Path | Turns | Recording | Iterable[Recorded]


def window_of(source: Any, first: int, last: int | None, part: Part) -> Turns:
    """Control steps from `first` until before `last`, with what a figure needs of them. Raises `BadInput`."""
    first = arguments.whole("first", first, 0)
    last = arguments.optional_whole("last", last, first + 1)
    turns = source.within(first, last) if isinstance(source, Turns) else read(source, first, last, part)
    if not turns.tick.size:
        raise BadInput(f"no control step from {first} to {'the end' if last is None else last} is recorded")
    return turns


def read(source: Any, first: int = 0, last: int | None = None, part: Part | None = None) -> Turns:
    """Turns of a recording, of its path, or as they come; only what `part` names, or all. Raises `BadInput`."""
    from ...recording.reader import Recording

    if isinstance(source, str | Path):
        source = Recording(source)
    if isinstance(source, Recording):
        return _of_recording(source, first, last, part)
    if not isinstance(source, Iterable):
        raise BadInput(f"expected a recording, its path, or turns of the ring, got {source!r}")
    return columns_of(source, first, last, part)


def _of_recording(recording: Recording, first: int, last: int | None, part: Part | None) -> Turns:
    if part in ("numbers", "timing", "outcome"):
        turns = _few(recording).within(first, last)
    else:
        turns = columns_of(_readable(recording), first, last, part)
    meta = recording.meta
    clock = Clock(_number(meta.get("period")), int(_number(meta.get("n_steps")) or 1))
    return turns._replace(clock=clock, env=meta.get("env", ""), agent=meta.get("agent", "run"))


def _readable(recording: Recording) -> Iterator[Recorded]:
    """Every tick up to where the file is damaged; what there is to see is shown."""
    readable = False
    try:
        for row in recording.ticks():
            readable = True
            yield row
    except RecordingError:
        if not readable:
            raise


def _few(recording: Recording) -> Turns:
    """The numbers of every tick."""
    column = recording.column
    timed = {name: column(name).astype(np.float64) for name in Timed._fields if name in recording.columns}
    return Turns(
        column("tick"), column("first").astype(np.bool_), column("reward").astype(np.float64),
        (column("terminated") != 0) | (column("truncated") != 0), column("n_steps"),
        numbers={name: column(name) for name in recording.numbers}, timed=timed,
    )  # fmt: skip


def _number(text: str | None) -> float | None:
    return float(text) if text else None


def columns_of(rows: Iterable[Recorded], first: int, last: int | None, part: Part | None) -> Turns:
    """The columns that figures need."""
    heads, spikes, numbers, timed, observations = [], [], [], [], []
    for row in rows:
        tick, outcome = row.tick, row.tick.outcome
        if tick.tick < first:
            continue
        if last is not None and tick.tick >= last:
            break
        answer = (0.0, False, 0) if outcome is None else (outcome.reward, outcome.ended, outcome.n_steps)
        heads.append((tick.tick, tick.first, *answer))
        if part in (None, "spikes"):
            spikes.append({name: fired_of(array) for name, array in row.spikes.items()})
        if part in (None, "numbers"):
            numbers.append(row.numbers)
        if part in (None, "timing"):
            told = outcome.info.get(TIMING) if outcome is not None else None
            timed.append(told if isinstance(told, Timed) else (np.nan,) * len(Timed._fields))
        if part in (None, "observation"):
            observations.append(tick.observation)
    ticks, firsts, rewards, ended, lengths = zip(*heads, strict=True) if heads else ((),) * 5
    table = np.array(timed, np.float64).reshape(-1, len(Timed._fields))
    return Turns(
        np.array(ticks, np.int64), np.array(firsts, np.bool_), np.array(rewards, np.float64), np.array(ended, np.bool_),
        np.array(lengths, np.int64), spikes=_by_name(spikes),
        numbers={name: np.array(column) for name, column in _by_name(numbers).items()},
        timed=dict(zip(Timed._fields, table.T, strict=True)) if len(table) else {}, observations=observations,
    )  # fmt: skip


def _by_name(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
