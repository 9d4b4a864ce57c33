"""Numbers of every tick as arrays, for plots: read without what is large."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from mcap.records import Channel
from numpy.typing import NDArray

from .channels import COLUMNS, EPISODE, LINK, NUMBERS, REWARD, SPIKES, TICK, TIMING
from .decoding import floats
from .scan import Damaged, Message, within

WHOLE = {*COLUMNS[TICK], *COLUMNS[TIMING], *COLUMNS[LINK], "episode"}  # columns of whole numbers


class Columns(NamedTuple):
    """By name."""

    ticks: dict[str, NDArray[Any]]
    episodes: dict[str, NDArray[Any]]


class _Rows:
    """The rows of a channel so far, as bytes: nothing is kept of the chunks that they came in."""

    def __init__(self, width: int) -> None:
        self.width, self._ticks, self._numbers = width, array("q"), bytearray()

    def add(self, tick: int, message: Message) -> None:
        """Add what a tick has. Raises `Damaged`."""
        try:
            self._numbers += floats(message.data, self.width).tobytes()
        except ValueError as error:
            raise Damaged(str(error)) from None
        self._ticks.append(tick)

    @property
    def table(self) -> NDArray[np.float64]:
        """One row a message."""
        return np.frombuffer(self._numbers, "<f8").reshape(len(self), self.width)

    def of_ticks(self, n: int) -> NDArray[np.float64]:
        """One row a tick, of `n` ticks; zeros where a tick has no such message."""
        ticks, table = np.array(self._ticks, np.int64), np.zeros((n, self.width))
        table[ticks[ticks < n]] = self.table[ticks < n]
        return table

    def __len__(self) -> int:
        return len(self._ticks)


def columns_of(chunks: Iterable[memoryview], numbers: tuple[str, ...], needed: frozenset[str]) -> Columns:
    """Read the channels that hold a few numbers, of all ticks that have a message on all `needed` topics and on those of
    spikes; the last one may not. Raises `Damaged`."""
    names = {**COLUMNS, NUMBERS: numbers}
    rows = {topic: _Rows(len(columns)) for topic, columns in names.items()}
    times, topics, wanted = array("q"), dict[int, str](), set(needed)
    have: set[str] = set()  # topics of the tick in hand
    for chunk in chunks:
        for item in within(chunk):
            if isinstance(item, Channel):
                topics[item.id] = item.topic
                if item.topic.startswith(f"{SPIKES}/"):
                    wanted.add(item.topic)
            elif isinstance(item, Message) and (topic := topics.get(item.channel)) is not None:
                if topic == TICK:
                    if times and (missing := wanted - have):
                        raise Damaged(f"a tick has no message on {', '.join(sorted(missing))}")
                    times.append(item.publish_ns)
                    have = set()
                have.add(topic)
                if topic in names:
                    rows[topic].add(len(times) - 1, item)
    n = len(times) - bool(times and wanted - have)
    ticks = _by_tick(rows, names, n)
    ticks["t_ns"] = np.array(times[:n], np.int64)
    ticks["reward"] = ticks.pop("answer")
    ticks["return"] = _returns(ticks["reward"], ticks["first"])
    closed = rows[EPISODE].table
    return Columns(ticks, {name: _typed(name, closed[:, k]) for k, name in enumerate(COLUMNS[EPISODE])})


def _by_tick(rows: dict[str, _Rows], names: dict[str, tuple[str, ...]], n: int) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    for topic in (TICK, REWARD, NUMBERS, TIMING, LINK):
        if len(rows[topic]) or topic not in (TIMING, LINK):
            table, start = rows[topic].of_ticks(n), "link." if topic == LINK else ""
            found |= {f"{start}{name}": _typed(name, table[:, k]) for k, name in enumerate(names[topic])}
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
