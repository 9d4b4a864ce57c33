"""The suite `worlds` steps every world of ours, with and without an event camera, and says what it costs."""

from typing import Any

import pytest

pytest.importorskip("pybullet")

from neuroloop.evaluation import world_cases
from neuroloop.evaluation.suites import worlds


def test_every_world_is_stepped_and_those_that_see_behind_an_event_camera_too() -> None:
    cases = worlds.cases()
    assert {"pole_balance", "lane_keeping", "lane_keeping_events_128", "arm_tracking"} < set(cases)
    assert set(worlds.TARGETS) < set(cases)
    for name, make in cases.items():
        env = make()
        observation, _ = env.reset(seed=0)
        observation, *_ = env.step(env.action_space.sample())
        if name.endswith("_events_128"):
            assert observation.dtype.names == ("t_us", "x", "y", "p")
        env.close()


def test_figures_have_their_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    def fast(make: Any, repeats: int, seconds: float) -> tuple[list[float], list[float]]:
        return [3e4, 2e4], [1e-3]

    monkeypatch.setattr(worlds, "steps_per_s", fast)
    monkeypatch.setattr(world_cases, "raycast_128_us", lambda quick: [150.0])
    monkeypatch.setattr(world_cases, "raycast_over_tinyrenderer", lambda quick: [10.0])
    said: list[str] = []
    suite = worlds.run(True, said.append)
    met = {figure.name: figure.met for figure in suite.figures}
    assert met["pole_balance_steps_per_s"] is True
    assert met["raycast_over_tinyrenderer"] is False
    assert met["target_tracking_steps_per_s"] is None
    assert len(said) == len(suite.figures)


def test_a_world_is_timed() -> None:
    samples, resets = worlds.steps_per_s(worlds.cases()["two_cues"], 2, 0.02)
    assert len(samples) == 2
    assert min(samples) > 1000.0
    assert min(resets) > 0.0
