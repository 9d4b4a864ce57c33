"""What a run with a view pays for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from neuroloop.view.window import beside
from neuroloop.view.window.beside import BETWEEN_TICKS, Sparing, rendering


class Counting:
    """A tap that counts."""

    def __init__(self) -> None:
        self.ticks: list[int] = []
        self.episodes = 0

    def put(self, tick: Any) -> bool:
        self.ticks.append(tick)
        return True

    def close_episode(self, *_: Any) -> None:
        self.episodes += 1


def test_a_fast_run_tells_a_view_only_of_what_it_can_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, tap = SimpleNamespace(now=10**9), Counting()
    monkeypatch.setattr(beside.time, "monotonic_ns", lambda: clock.now)
    sparing = Sparing(tap)  # type: ignore[arg-type]
    for tick in range(100):
        clock.now += BETWEEN_TICKS // 10
        sparing.put(tick)  # type: ignore[arg-type]
        sparing.close_episode(tick, 0.0, 1)
    assert tap.ticks == list(range(0, 100, 10))
    assert tap.episodes == 100


def test_a_slow_run_tells_a_view_of_every_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, tap = SimpleNamespace(now=10**9), Counting()
    monkeypatch.setattr(beside.time, "monotonic_ns", lambda: clock.now)
    sparing = Sparing(tap)  # type: ignore[arg-type]
    for tick in range(50):
        clock.now += 5_000_000
        sparing.put(tick)  # type: ignore[arg-type]
    assert tap.ticks == list(range(50))


def test_an_environment_renders_only_while_it_is_watched() -> None:
    import gymnasium

    env = gymnasium.make("CartPole-v1")
    with rendering(env, wanted=True):
        assert env.render_mode == "rgb_array"
    assert env.render_mode is None
    with rendering(env, wanted=False):
        assert env.render_mode is None
