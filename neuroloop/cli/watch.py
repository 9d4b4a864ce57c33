"""`neuroloop watch`: what a tap publishes, as a live line or as lines of JSON."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .stopping import stop_on_signals

if TYPE_CHECKING:
    from ..link.telemetry.facts import PlantFacts, TickFacts
    from ..link.telemetry.hearing import Heard
    from ..link.telemetry.listening import Listener

LOOK = 0.25  # s between looks at whether to stop
SILENCE = 2.0  # s after which it is said
BETWEEN = 0.1  # s between two lines
MOST_NUMBERS = 64  # of an observation or an action that JSON shows
Endpoint = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Where `run --tap` or `serve --tap` publishes.")]
Lines = Annotated[bool, typer.Option("--json", help="A line of JSON a message on stdout, everything else on stderr.")]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", metavar="SECONDS", help="Give up after so long a silence. Default: never."),
]
Keys = Annotated[
    Path | None, typer.Option("--keys", metavar="DIR", help="Our own keys, where the tap is locked (`neuroloop keys`).")
]
ServerKey = Annotated[
    str | None, typer.Option("--server-key", metavar="KEY", help="The publisher's public key, where the tap is locked.")
]


def watch(
    endpoint: Endpoint, json: Lines = False, timeout: Timeout = None, keys: Keys = None, server_key: ServerKey = None
) -> None:
    """Show what a run or a plant publishes, until it is over or Ctrl-C. It may begin later, and does not wait for us."""
    from .. import arguments
    from ..link.telemetry.listening import Listener

    patience = float("inf") if timeout is None else arguments.positive("--timeout", timeout, "s")
    with (
        Listener(endpoint, newest=not json, keys=keys, server_key=server_key) as listener,
        stop_on_signals() as stop,
    ):
        show: _Lines | _LiveLine = _Lines() if json else _LiveLine(listener)
        over = _follow(listener, show, stop, patience)
        show.close()
    lost = f", {listener.lost} messages lost" if listener.lost else ""
    print(f"{'over' if over else 'stopped'}: {listener.heard} messages heard{lost}", file=sys.stderr)
    if stop.signal:
        raise SystemExit(128 + stop.signal)


def _follow(listener: Listener, show: _Lines | _LiveLine, stop: Any, patience: float) -> bool:
    """Show what is heard until the run is over, or to be stopped; whether it is over."""
    from ..link.telemetry.facts import ByeFacts

    since, silent = time.monotonic(), False
    while not stop.signal:
        heard = listener.next(LOOK)
        if heard is not None:
            since, silent = time.monotonic(), False
            show.message(heard)
            if isinstance(heard.facts, ByeFacts):
                return True
            continue
        quiet = time.monotonic() - since
        if quiet > patience:
            raise listener.silence(patience)
        if quiet > SILENCE and not silent:
            silent = True
            why = f"; {listener.why}" if listener.why else ""
            print(f"{listener.url}: silent for {SILENCE:g} s{why}", file=sys.stderr, flush=True)
    return False


class _Lines:
    """A line of JSON a message."""

    def message(self, heard: Heard) -> None:
        import msgspec

        facts: dict[str, Any] = msgspec.to_builtins(heard.facts)
        for name in {"observation", "action"} & facts.keys():
            facts[name] = plain(getattr(heard, name))
        print(msgspec.json.encode(facts).decode(), flush=True)

    def close(self) -> None:
        pass


class _LiveLine:
    """One line, of the newest message."""

    def __init__(self, listener: Listener) -> None:
        from ..view.live import Line

        self._listener, self._line, self._shown = listener, Line(sys.stdout), 0.0
        self._mean, self._fields = "", list[str]()

    def message(self, heard: Heard) -> None:
        from ..link.telemetry.facts import EpisodeFacts, PlantFacts, RunFacts, TickFacts

        match heard.facts:
            case RunFacts() as run:
                print(f"{run.agent or 'plant'} on {run.env}, run {run.run:x}", file=sys.stderr, flush=True)
            case EpisodeFacts() as episode:
                self._mean = "" if episode.mean_return is None else f"mean of 100 {episode.mean_return:.1f}"
            case TickFacts() as tick:
                self._fields = self._of_tick(tick)
            case PlantFacts() as plant:
                self._fields = self._of_plant(plant)
        now = time.monotonic()
        if self._fields and now - self._shown >= BETWEEN and self._line.due():
            self._shown = now
            self._line.show(self._fields)

    def _of_tick(self, tick: TickFacts) -> list[str]:
        numbers = [f"{name} {tick.numbers[name]:.3g}" for name in ("value", "td_error") if name in tick.numbers]
        late = [f"late {tick.timing['late'] / 1e3:.0f} µs"] if tick.timing and "late" in tick.timing else []
        return [
            f"episode {tick.episode}", f"tick {tick.tick}", f"return {tick.episode_return:.1f}", self._mean,
            f"{sum(tick.spikes.values())} spikes", *numbers, *late, self._lost(),
        ]  # fmt: skip

    def _of_plant(self, plant: PlantFacts) -> list[str]:
        return [
            f"tick {plant.tick}", plant.mode, f"helped {plant.helped}", f"lapses {plant.lapses}",
            f"refused {plant.refused}", f"late {plant.late_ns / 1e3:.0f} µs", self._lost(),
        ]  # fmt: skip

    def _lost(self) -> str:
        return f"lost {self._listener.lost}"

    def close(self) -> None:
        if self._fields:
            self._line.show(self._fields, last=True)


def plain(value: Any) -> Any:
    """A value as JSON has it; None for what is too long, or packets of events."""
    import numpy as np

    match value:
        case np.ndarray():
            return value.tolist() if value.size <= MOST_NUMBERS and value.dtype.names is None else None
        case np.generic():
            return value.item()
        case tuple() | list():
            return [plain(part) for part in value]
        case dict():
            return {str(key): plain(part) for key, part in value.items()}
        case str() | int() | float() | None:
            return value
    return None
