"""The ring in lockstep: who is asked what and when, what is counted, and what an error says."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from gymnasium import Env, spaces

import neuroloop
from neuroloop.agent import Agent
from neuroloop.errors import PlantError
from neuroloop.loop.lockstep import Lockstep, Progress
from neuroloop.loop.plant import Plant
from neuroloop.settings import PlantConfig


class Script(Env[Any, Any]):
    """Episodes of `length` steps that pay 1; the observation counts, from 100 × the number of resets."""

    observation_space = spaces.Box(-1e9, 1e9, (2,))
    action_space = spaces.Discrete(2)

    def __init__(self, length: int = 4, terminates: bool = True, odd: Any = None, at: int = -1) -> None:
        self.length, self.terminates, self.odd, self.at = length, terminates, odd, at
        self.resets = self.total = 0

    def _seen(self) -> Any:
        return np.array([100 * self.resets, self.t], np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.resets, self.t = self.resets + 1, 0
        return self._seen(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t, self.total = self.t + 1, self.total + 1
        ended = self.t >= self.length
        if self.total == self.at:
            if isinstance(self.odd, Exception):
                raise self.odd
            return self.odd, 1.0, False, False, {}
        return self._seen(), 1.0, ended and self.terminates, ended and not self.terminates, {}


class Recorder:
    """A controller that writes down what it is asked."""

    spikes = 0.0

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def act(self, observation: Any, reward: float, *, first: bool) -> int:
        self.calls.append(("act", *observation, reward, first))
        return len(self.calls) % 2

    def finish(self, observation: Any, reward: float, *, terminated: bool) -> None:
        self.calls.append(("finish", *observation, reward, terminated))

    def predict(self, observation: Any, state: Any) -> tuple[int, dict[str, Any]]:
        self.calls.append(("predict", *observation, state is None))
        return 0, {}

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        pass


def ring(**script: Any) -> tuple[Lockstep, Recorder, Progress]:
    recorder, progress = Recorder(), Progress(None)
    return Lockstep(Plant(PlantConfig(), Script(**script), 0), recorder, progress), recorder, progress


def test_the_controller_meets_every_observation_once_and_hears_the_reward_of_the_action_before() -> None:
    loop, recorder, _ = ring(length=2)
    loop.run(4)
    assert recorder.calls == [
        ("act", 100, 0, 0.0, True),
        ("act", 100, 1, 1.0, False),
        ("finish", 100, 2, 1.0, True),
        ("act", 200, 0, 0.0, True),
        ("act", 200, 1, 1.0, False),
        ("finish", 200, 2, 1.0, True),
    ]


def test_an_episode_cut_off_is_told_from_one_that_terminated() -> None:
    loop, recorder, _ = ring(length=2, terminates=False)
    loop.run(2)
    assert recorder.calls[-1] == ("finish", 100, 2, 1.0, False)


def test_steps_returns_and_lengths_are_counted() -> None:
    loop, _, progress = ring(length=4)
    loop.run(11)
    assert (progress.steps, progress.ticks, progress.returns, progress.lengths) == (11, 11, [4.0, 4.0], [4, 4])
    assert (progress.episode, progress.episode_return, progress.episode_steps, len(progress.actions)) == (2, 3.0, 3, 3)


def test_a_run_of_no_steps_asks_nothing() -> None:
    loop, recorder, progress = ring()
    loop.run(0)
    assert recorder.calls == []
    assert progress.mean_return is None
    assert progress.us_per_tick is None


def test_the_task_is_solved_at_the_first_mean_of_100_that_reaches_the_criterion() -> None:
    recorder, progress = Recorder(), Progress(4.0)
    loop = Lockstep(Plant(PlantConfig(), Script(length=4), 0), recorder, progress)
    loop.run(399)
    assert progress.solved_at_step is None
    loop.run(1_000, stop_when_solved=True)
    assert (progress.solved_at_step, progress.steps, len(progress.returns)) == (400, 400, 100)
    loop.run(1_000, stop_when_solved=True)
    assert progress.steps == 400
    loop.run(500)
    assert (progress.steps, progress.solved_at_step) == (500, 400)


def test_the_mean_is_that_of_the_last_100_returns() -> None:
    progress = Progress(None)
    progress.returns = [1_000.0, *[float(n) for n in range(100)]]
    assert progress.mean_return == 49.5


def test_durations_are_those_of_ticks_that_ran_here() -> None:
    loop, _, progress = ring()
    progress.ticks = 5_000  # a run that was loaded: its ticks were not timed by us
    loop.run(3)
    assert progress.us_per_tick is not None
    assert progress.us_per_tick > 0.0


def test_a_loop_that_takes_over_brings_the_episode_back() -> None:
    loop, _, progress = ring(length=10)
    loop.run(14)
    recorder = Recorder()
    script = Script(length=10)
    Lockstep(Plant(PlantConfig(), script, 0), recorder, progress).run(15)
    assert recorder.calls[0] == ("act", 100, 4, 1.0, False)
    assert script.total == 5


def spiking(env: Env[Any, Any]) -> Agent:
    return neuroloop.load_agent("default", env, overrides=["warm_up.decisions=5", "plant.action_repeat=1"])


@pytest.mark.parametrize(
    ("odd", "says"),
    [
        (
            np.array([1e200, 0.0]),
            r"Script, episode 0, environment step 7: observation\[0\] is 1e\+200; observations must be finite",
        ),
        (
            np.array([0.0, np.nan]),
            r"Script, episode 0, environment step 7: observation\[1\] is nan; observations must be finite",
        ),
        (np.array([-np.inf, np.nan]), r"Script, episode 0, environment step 7: observation\[0\] is -inf"),
        (np.zeros(3), r"Script, episode 0, environment step 7: the observation has shape \(3,\), expected \(2,\)"),
        (
            np.zeros((2, 2)),
            r"Script, episode 0, environment step 7: the observation has shape \(2, 2\), expected \(2,\)",
        ),
        (None, r"Script, episode 0, environment step 7: the observation has shape \(\), expected \(2,\)"),
        ("left", r"Script, episode 0, environment step 7: observation should be numbers, got"),
        ({"x": 1}, r"Script, episode 0, environment step 7: observation should be numbers, got"),
    ],
)
def test_an_observation_that_is_none_is_an_error_with_its_place_and_dimension(odd: Any, says: str) -> None:
    agent = spiking(Script(odd=odd, at=7, length=50))
    with pytest.raises(PlantError, match=says):
        agent.learn(20)
    assert agent.progress.steps == 7


def test_the_step_in_an_error_is_the_one_that_the_plant_spoilt() -> None:
    agent = spiking(Script(odd=np.array([0.0, np.nan]), at=7, length=50))
    with pytest.raises(PlantError, match=r"^Script, episode 0, environment step 7: "):
        agent.learn(20)


def test_an_error_counts_steps_of_the_environment_and_names_who_made_it_and_what_to_do() -> None:
    agent = neuroloop.load_agent(
        "default",
        Script(odd=np.array([0.0, np.nan]), at=4 * 50 + 20, length=50),
        overrides=["warm_up.decisions=5", "plant.action_repeat=2"],
    )
    says = (
        r"^Script, episode 4, environment step 20: observation\[1\] is nan; observations must be finite; "
        r"correct it in the environment's step\(\), or in a wrapper around it$"
    )
    with pytest.raises(PlantError, match=says):
        agent.learn(1_000)


def test_an_observation_that_reset_spoilt_is_its() -> None:
    class Spoilt(Script):
        def _seen(self) -> Any:
            return np.array([np.nan, 0.0]) if self.resets == 3 else super()._seen()

    with pytest.raises(PlantError, match=r"^Spoilt, episode 2, environment step 0: .* environment's reset\(\)"):
        spiking(Spoilt()).learn(100)


@pytest.mark.parametrize("name", ["default", "random"])
@pytest.mark.parametrize("reward", [float("nan"), float("inf"), None])
def test_a_bad_reward_never_enters_the_record_so_that_it_can_be_saved(name: str, reward: Any, tmp_path: Any) -> None:
    class Spoilt(Script):
        def step(self, action: Any) -> Any:
            observation, _, *rest = super().step(action)
            return observation, reward if self.total == 6 else 1.0, *rest

    agent = neuroloop.load_agent(
        name, Spoilt(length=4), overrides=[] if name == "random" else ["plant.action_repeat=1"]
    )
    with pytest.raises(PlantError, match=r"^Spoilt, episode 1, environment step 2: the reward is "):
        agent.learn(20)
    assert agent.progress.steps == 5
    assert agent.save(tmp_path / "a.zip").is_file()


def test_an_environment_that_raises_leaves_an_agent_that_can_be_saved_and_go_on(tmp_path: Any) -> None:
    agent = spiking(Script(odd=RuntimeError("the motor is on fire"), at=9, length=50))
    with pytest.raises(RuntimeError, match="on fire"):
        agent.learn(20)
    assert agent.progress.steps == 8
    loaded = Agent.load(agent.save(tmp_path / "a.zip"), Script(length=50))
    assert loaded.learn(10).steps == 18


def test_huge_observations_do_not_spoil_the_network() -> None:
    agent = spiking(Script(odd=np.array([1e99, -1e99]), at=7, length=50))
    agent.learn(300)
    state = agent.controller.state()
    assert all(np.isfinite(array).all() for array in state.values())


@pytest.mark.parametrize("level", [99, -5, 10**9, 10**19])
def test_a_discrete_observation_outside_its_space_is_an_error_with_its_place(level: int) -> None:
    class Levels(Script):
        observation_space = spaces.Discrete(4)

        def _seen(self) -> Any:
            return self.t % 4

    agent = spiking(Levels(odd=level, at=7, length=50))
    with pytest.raises(PlantError, match=r"^Levels, .* step 7: the observation .* lies outside its space"):
        agent.learn(300)


def test_an_environment_that_cannot_be_replayed_begins_its_episode_anew() -> None:
    class Moody(Script):
        """Ends at a step that no seed decides."""

        n = 0

        def step(self, action: Any) -> Any:
            Moody.n += 1
            observation, reward, terminated, truncated, info = super().step(action)
            return observation, reward, terminated or Moody.n % 37 == 0, truncated, info

    agent = spiking(Moody(length=50))
    for _ in range(6):
        agent.learn(45)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            agent.evaluate(1)
            agent.learn(5)
    assert agent.progress.steps >= 300


def test_learning_that_diverges_says_so() -> None:
    agent = neuroloop.load_agent("cartpole", seed=1)
    agent.learn(100)
    network = agent.controller.network  # type: ignore[attr-defined]
    network._f8[network._linked.signals["value"]] = np.nan
    with pytest.raises(neuroloop.DivergedError, match="the TD error is no longer finite"):
        agent.learn(50)
