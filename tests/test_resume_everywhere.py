"""A run that is saved at any tick and goes on in a fresh agent, in a fresh environment, ends as the one that never stopped."""

from __future__ import annotations

import sys
import textwrap
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

from neuroloop import load_agent
from neuroloop.agent import Agent
from neuroloop.loop.paced import Paced

SEED = 23
CODE = """
    import numpy as np
    from neuroloop import Spikes

    class Leaky:
        \"\"\"Remembers what it saw: its level leaks from control step to control step.\"\"\"

        def bind(self, space, clock, seed):
            self.n, self.n_steps, self.level = 4, clock.n_steps, np.zeros(4)
            return 4

        def reset(self, episode):
            self.level = np.zeros(4) + episode % 3

        def encode(self, observation, tick):
            self.level = 0.9 * self.level + np.abs(np.asarray(observation, float)[:4])
            steps = [k for k in range(self.n_steps) for i in range(4) if (k + int(7 * self.level[i])) % 5 == 0]
            ids = [i for k in range(self.n_steps) for i in range(4) if (k + int(7 * self.level[i])) % 5 == 0]
            return Spikes.of(steps, ids, self.n_steps)

        def state(self):
            return {"level": self.level}

        def restore(self, state):
            self.level = state["level"].copy()
"""
SCHEDULE = "plant.arguments.schedule=[{at=0.1,pole_mass=0.5},{at=0.3,cart_damping=2.0}]"
Make = Callable[[], Agent]


def agent(name: str, env: str | None = None, *settings: str) -> Make:
    return lambda: load_agent(name, env, SEED, settings)


WORLDS: dict[str, tuple[Make, int]] = {
    "the cartpole agent": (agent("cartpole"), 400),
    "any agent, through its warm-up": (agent("default", "Pendulum-v1", "warm_up.decisions=120"), 500),
    "without spikes": (agent("linear", "CartPole-v1", "warm_up.decisions=50"), 300),
    "at random": (agent("random", "MountainCarContinuous-v0"), 300),
    "an action for seven steps": (agent("default", "Acrobot-v1", "plant.action_repeat=7", "warm_up.decisions=20"), 700),
    "two cues, a reward that is late": (agent("default", "neuroloop/TwoCues-v0", "warm_up.decisions=20"), 300),
    "a pole with a schedule": (agent("pole", None, SCHEDULE), 300),
    "a car that sees events": (agent("lane-keeping"), 24),
    "an arm": (agent("arm-reaching"), 250),
    "an arm that is told of a path": (agent("arm-tracking"), 250),
    "a camera that follows": (agent("target-tracking"), 120),
    "a rover": (agent("obstacle-avoidance"), 60),
    "a quadruped": (agent("quadruped-walk"), 60),
}


def assert_same(ours: Agent, theirs: Agent) -> None:
    a, b = ours.controller.state(), theirs.controller.state()
    assert [name for name in b if a[name].tobytes() != b[name].tobytes()] == []
    for name in ("returns", "lengths", "steps", "ticks", "episode_return", "episode_steps", "reward"):
        assert getattr(ours.progress, name) == getattr(theirs.progress, name), name
    assert [np.asarray(x).tobytes() for x in ours.progress.actions] == [
        np.asarray(x).tobytes() for x in theirs.progress.actions
    ]


@pytest.mark.filterwarnings("error:.*begins anew")
@pytest.mark.parametrize("name", WORLDS)
def test_saved_anywhere_and_loaded_into_a_fresh_agent_it_goes_on_as_if_nothing_had_happened(
    name: str, tmp_path: Path
) -> None:
    make, total = WORLDS[name]
    straight = make()
    if "pole" in name or "car" in name or straight.env_id.startswith("neuroloop/"):
        pytest.importorskip("pybullet")
    with straight, make() as broken:
        straight.learn(total)
        random = np.random.default_rng(zlib.crc32(name.encode()))
        ends = np.cumsum(straight.progress.lengths)  # the last tick of an episode, and the first
        stops = {1, 2, *random.integers(3, total, 3), *(int(end) + d for end in ends[:1] for d in (-1, 0, 1))}
        for stop in sorted(s for s in map(int, stops) if 0 < s < total):
            if stop > broken.progress.steps:
                broken.learn(stop - broken.progress.steps)
            with Agent.load(broken.save(tmp_path / "a.zip")) as resumed:
                assert_same(resumed, broken)
                resumed.learn(total - resumed.progress.steps)
                assert_same(resumed, straight)


def test_encoders_in_python_go_on_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "leaky_encoder.py").write_text(textwrap.dedent(CODE))
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("leaky_encoder", None)
    make = agent("cartpole", None, 'encoder={kind="python",of="leaky_encoder:Leaky"}')
    straight, broken = make(), make()
    straight.learn(250)
    for stop in (1, 17, 31, 120, 121, 200):
        broken.learn(stop - broken.progress.steps)
        resumed = Agent.load(broken.save(tmp_path / "a.zip"))
        resumed.learn(250 - resumed.progress.steps)
        assert_same(resumed, straight)


# Where an episode cannot be brought back.


class Forgetful(gymnasium.Env):
    """Counts resets of its life, which no seed can bring back, and shows their number where it is told to."""

    observation_space = spaces.Box(-1.0, 1.0, (2,))
    action_space = spaces.Discrete(2)

    def __init__(self, shows: float) -> None:
        self.resets, self.shows = 0, shows

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.resets, self.t = self.resets + 1, 0
        return self._seen(), {}

    def step(self, action: Any) -> Any:
        self.t += 1
        return self._seen(), 1.0, False, self.t == 20, {}

    def _seen(self) -> Any:
        return np.array([self.t / 20, self.shows * min(self.resets, 10)], np.float32)


def test_an_episode_that_comes_out_otherwise_begins_anew_and_says_so(tmp_path: Path) -> None:
    agent = load_agent("default", Forgetful(0.05), SEED, ["warm_up.decisions=5", "plant.action_repeat=1"])
    agent.learn(67)
    path = agent.save(tmp_path / "a.zip")
    resumed = Agent.load(path, Forgetful(0.05))
    with pytest.warns(UserWarning, match="episode 3, after its 7 actions: what is seen differs, 1 of 2 numbers"):
        resumed.learn(1)
    assert (resumed.progress.steps, len(resumed.progress.actions), resumed.progress.episode) == (68, 1, 3)


def test_what_differs_in_the_last_bits_only_goes_on(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    agent = load_agent("default", Forgetful(1e-7), SEED, ["warm_up.decisions=5", "plant.action_repeat=1"])
    agent.learn(67)
    resumed = Agent.load(agent.save(tmp_path / "a.zip"), Forgetful(1e-7))
    resumed.learn(1)
    assert len(resumed.progress.actions) == 8
    assert not [w for w in recwarn if "begins anew" in str(w.message)]


def test_an_agent_that_was_loaded_and_saved_at_once_still_knows_where_it_was(tmp_path: Path) -> None:
    agent = load_agent("cartpole", seed=SEED)
    agent.learn(321)
    first = agent.save(tmp_path / "a.zip")
    second = Agent.load(first).save(tmp_path / "b.zip")
    a, b = Agent.load(first), Agent.load(second)
    assert [x.tobytes() for x in a.loop.seen()] == [x.tobytes() for x in b.loop.seen()] != []
    a.learn(100)
    b.learn(100)
    assert_same(a, b)


def test_in_real_time_an_episode_is_brought_back_at_once(tmp_path: Path) -> None:
    straight = load_agent("cartpole", seed=SEED)
    straight.learn(60)
    agent = load_agent("cartpole", Paced(gymnasium.make("CartPole-v1"), 1e-4), seed=SEED)
    agent.learn(35)
    paced = Paced(gymnasium.make("CartPole-v1"), 100.0)
    resumed = Agent.load(agent.save(tmp_path / "a.zip"), paced)
    resumed.loop.enter()
    assert len(resumed.progress.actions) > 5, "steps of 100 s that nobody waited for"
    assert paced.timing.n == 0
    resumed.env.close()
    on = Agent.load(tmp_path / "a.zip", Paced(gymnasium.make("CartPole-v1"), 1e-4))
    on.learn(25)
    assert_same(on, straight)


class Lives(gymnasium.Wrapper):
    """A world that does not wait."""

    real_time, steps = True, 0

    def step(self, action: Any) -> Any:
        self.steps += 1
        return self.env.step(action)


def test_a_world_that_went_on_is_not_driven_through_old_actions(tmp_path: Path) -> None:
    agent = load_agent("cartpole", Lives(gymnasium.make("CartPole-v1")), seed=SEED)
    agent.learn(345)
    assert agent.progress.actions
    world = Lives(gymnasium.make("CartPole-v1"))
    resumed = Agent.load(agent.save(tmp_path / "a.zip"), world)
    with pytest.warns(
        UserWarning, match="keeps its own time, so nothing in it can be brought back; the episode begins"
    ):
        resumed.learn(1)
    assert world.steps == 1
