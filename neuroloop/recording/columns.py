"""Numbers of every tick as arrays, for plots: read without what is large."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from mcap.records import Channel
from numpy.typing import NDArray

from .channels import COLUMNS, EPISODE, NUMBERS, REWARD, TICK, TIMING
from .decoding import floats
from .scan import Damaged, Message, within

WHOLE = {*COLUMNS[TICK], *COLUMNS[TIMING], "episode"}  # columns of whole numbers


class Columns(NamedTuple):
    """By name."""

    ticks: dict[str, NDArray[Any]]
    episodes: dict[str, NDArray[Any]]


def columns_of(chunks: Iterable[memoryview], numbers: tuple[str, ...]) -> Columns:
    """Read the channels that hold a few numbers. Raises `Damaged`."""
    names = {**COLUMNS, NUMBERS: numbers}
    rows: dict[str, list[tuple[int, NDArray[np.float64]]]] = {topic: [] for topic in names}
    times: list[int] = []
    topics: dict[int, str] = {}
    tick = -1
    for chunk in chunks:
        for item in within(chunk):
            if isinstance(item, Channel):
                topics[item.id] = item.topic
            elif isinstance(item, Message) and (topic := topics.get(item.channel)) in names:
                tick += topic == TICK
                if topic == TICK:
                    times.append(item.publish_ns)
                rows[topic].append((tick, _numbers(item, len(names[topic]))))
    ticks = _by_tick(rows, names, len(rows[REWARD]))
    ticks["t_ns"] = np.array(times[: len(rows[REWARD])], np.int64)
    ticks["reward"] = ticks.pop("answer")
    ticks["return"] = _returns(ticks["reward"], ticks["first"])
    closed = np.array([row for _, row in rows[EPISODE]]).reshape(-1, 3)
    return Columns(ticks, {name: _typed(name, closed[:, k]) for k, name in enumerate(COLUMNS[EPISODE])})


def _numbers(message: Message, n: int) -> NDArray[np.float64]:
    try:
        return floats(message.data, n)
    except ValueError as error:
        raise Damaged(str(error)) from None


def _by_tick(
    rows: dict[str, list[tuple[int, NDArray[np.float64]]]], names: dict[str, tuple[str, ...]], n: int
) -> dict[str, NDArray[Any]]:
    """Columns of `n` ticks; zero where a tick has no such message."""
    found: dict[str, NDArray[Any]] = {}
    for topic in (TICK, REWARD, NUMBERS, TIMING):
        table = np.zeros((n, len(names[topic])))
        own = [(tick, row) for tick, row in rows[topic] if tick < n]
        if own:
            table[[tick for tick, _ in own]] = [row for _, row in own]
        if own or topic != TIMING:
            found |= {name: _typed(name, table[:, k]) for k, name in enumerate(names[topic])}
    return found


def _typed(name: str, column: NDArray[np.float64]) -> NDArray[Any]:
    return column.astype(np.int64) if name in WHOLE else column.copy()


def _returns(rewards: NDArray[np.float64], first: NDArray[np.int64]) -> NDArray[np.float64]:
    """What each episode had earned so far."""
    total, returns = 0.0, np.empty_like(rewards)
    for k, (reward, begins) in enumerate(zip(rewards.tolist(), first.tolist(), strict=True)):
        total = reward if begins else total + reward
        returns[k] = total
    return returns
