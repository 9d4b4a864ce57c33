"""Seeds side by side: each is, bit for bit, what it would be alone, whoever steps the environments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

import neuroloop
from neuroloop import BadInput, PlantError, VectorAgent
from neuroloop.agent import Agent

SEEDS = (3, 0, 7)
TASKS = [
    ("cartpole", "CartPole-v1", 1_501),
    ("default", "Pendulum-v1", 2_501),  # the warm-up ends at 2000; two steps a decision
    ("default", "FrozenLake-v1", 2_400),
    ("mountain-car", "MountainCar-v0", 777),  # episodes are cut off at 200
    ("random", "CartPole-v1", 300),
]
IDS = [f"{name}-{env}" for name, env, _ in TASKS]


def everything(agent: Agent) -> dict[str, Any]:
    progress = agent.progress
    arrays = {name: (str(a.dtype), a.shape, a.tobytes()) for name, a in agent.controller.state().items()}
    return arrays | {
        "returns": progress.returns, "lengths": progress.lengths, "steps": progress.steps, "ticks": progress.ticks,
        "solved": progress.solved_at_step, "reward": progress.reward, "episode_return": progress.episode_return,
        "episode_steps": progress.episode_steps, "actions": [np.asarray(one).tolist() for one in progress.actions],
    }  # fmt: skip


def differs(ours: Agent, theirs: Agent) -> list[str]:
    a, b = everything(ours), everything(theirs)
    return [name for name in a.keys() | b.keys() if a.get(name) != b.get(name)]


def alone(name: str, env: str, seed: int, steps: int, **how: Any) -> Agent:
    agent = neuroloop.load_agent(name, env, seed=seed)
    agent.learn(steps, **how)
    return agent


def maker(env_id: str) -> Callable[[], Any]:
    return lambda: gymnasium.make(env_id)


def sync(env_id: str, mode: AutoresetMode, n: int = len(SEEDS)) -> Any:
    return SyncVectorEnv([maker(env_id)] * n, autoreset_mode=mode)


@pytest.mark.parametrize(("name", "env", "steps"), TASKS, ids=IDS)
@pytest.mark.parametrize("how", ["in turn", "two threads", "a list", "without autoreset"])
def test_a_seed_taken_out_equals_the_same_seed_alone(name: str, env: str, steps: int, how: str) -> None:
    envs: Any = env
    if how == "a list":
        envs = [gymnasium.make(env) for _ in SEEDS]
    if how == "without autoreset":
        envs = sync(env, AutoresetMode.DISABLED)
    vector = neuroloop.load_agents(name, envs, SEEDS, threads=2 if how == "two threads" else 1)
    for part in (steps // 3, steps - steps // 3):  # stops in the middle of episodes
        vector.learn(part)
    for agent in vector:
        single = neuroloop.load_agent(name, env, seed=agent.seed)
        for part in (steps // 3, steps - steps // 3):
            single.learn(part)
        assert differs(agent, single) == []


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("mode", [None, AutoresetMode.DISABLED])
def test_a_seed_that_is_solved_stops_while_others_go_on(threads: int, mode: AutoresetMode | None) -> None:
    env: Any = "CartPole-v1" if mode is None else sync("CartPole-v1", mode)
    easy = ("plant.criterion=20.3",)  # some seeds get there, by luck
    vector = neuroloop.load_agents("random", env, SEEDS, easy, threads)
    vector.learn(6_000, stop_when_solved=True)
    assert len({one.steps for one in vector.progress}) > 1
    singles = []
    for agent in vector:
        single = neuroloop.load_agent("random", "CartPole-v1", agent.seed, easy)
        single.learn(6_000, stop_when_solved=True)
        assert differs(agent, single) == []
        single.learn(100)
        singles.append(single)
    vector.learn(100)
    assert [differs(a, b) for a, b in zip(vector, singles, strict=True)] == [[]] * 3


def test_a_checkpoint_in_the_middle_of_an_episode_goes_on_alone_and_side_by_side(tmp_path: Path) -> None:
    vector = neuroloop.load_agents("cartpole", sync("CartPole-v1", AutoresetMode.DISABLED), SEEDS)
    vector.learn(707)
    assert any(one.actions for one in vector.progress)
    paths = vector.save(tmp_path)
    straight = [alone("cartpole", "CartPole-v1", seed, 1_200) for seed in SEEDS]
    resumed = [Agent.load(path) for path in paths]
    for agent in resumed:
        agent.learn(1_200 - 707)
    again = VectorAgent(map(Agent.load, paths), sync("CartPole-v1", AutoresetMode.DISABLED))
    again.learn(1_200 - 707)
    for a, b, c in zip(straight, resumed, again, strict=True):
        assert differs(b, a) == differs(c, a) == []


@pytest.mark.parametrize("mode", [None, AutoresetMode.DISABLED])
def test_agents_may_learn_and_play_alone_in_between(mode: AutoresetMode | None) -> None:
    env: Any = "CartPole-v1" if mode is None else sync("CartPole-v1", mode)
    vector = neuroloop.load_agents("cartpole", env, SEEDS)
    vector.learn(300)
    vector.evaluate(1)
    vector[1].learn(100)
    vector.learn(300)
    for agent, steps in zip(vector, (600, 700, 600), strict=True):
        assert differs(agent, alone("cartpole", "CartPole-v1", agent.seed, steps)) == []


class Clockwork(gymnasium.Env[Any, Any]):
    """Episodes of 3 to 6 steps; the observation tells of the episode and the step, and no reset may be slept through."""

    observation_space = gymnasium.spaces.Box(-1e6, 1e6, (2,), np.float64)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, cuts: bool = False) -> None:
        self.cuts, self.episode, self.log = cuts, -1, []

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        self.episode, self.t = self.episode + 1, 0
        return np.array([self.episode, 0.0]), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        ended = self.t >= 3 + self.episode % 4
        return np.array([self.episode, self.t]), float(self.t), ended and not self.cuts, ended and self.cuts, {}


@pytest.mark.parametrize("cuts", [False, True])
@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_whoever_resets_an_agent_sees_the_same_and_is_paid_the_same(mode: AutoresetMode, cuts: bool) -> None:
    """`Clockwork` needs no seed, so every mode must come to what single environments come to, in one run."""
    vector = neuroloop.load_agents("default", SyncVectorEnv([lambda: Clockwork(cuts)] * 3, autoreset_mode=mode), SEEDS)
    vector.learn(3_000, episodes=650)
    for agent in vector:
        single = neuroloop.load_agent("default", Clockwork(cuts), agent.seed)
        single.learn(3_000, episodes=650)
        assert len(single.progress.returns) == 650
        assert differs(agent, single) == []


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_where_the_environment_resets_itself_the_same_calls_give_the_same_bits(mode: AutoresetMode) -> None:
    def run(threads: int) -> VectorAgent:
        vector = neuroloop.load_agents("cartpole", sync("CartPole-v1", mode), SEEDS, threads=threads)
        vector.learn(400)
        vector.learn(350)
        return vector

    first, second = run(1), run(2)
    assert [differs(a, b) for a, b in zip(first, second, strict=True)] == [[]] * 3
    assert all(one.steps == 750 and not one.actions for one in first.progress)  # what was unfinished is broken off


def test_a_native_vector_environment_takes_part() -> None:
    vector = neuroloop.load_agents("cartpole", gymnasium.make_vec("CartPole-v1", num_envs=3), SEEDS)
    vector.learn(300)
    assert [one.steps for one in vector.progress] == [300] * 3
    assert vector[0].progress.criterion == 475.0
    assert vector.evaluate(2).shape == (3, 2)
    vector.close()


@pytest.mark.parametrize("shared", [True, False])
def test_environments_in_other_processes_make_no_difference(shared: bool) -> None:
    for mode in (AutoresetMode.DISABLED, AutoresetMode.NEXT_STEP):
        makes = [gymnasium.vector.utils.CloudpickleWrapper(maker("CartPole-v1"))] * 2
        env = AsyncVectorEnv(makes, context="spawn", shared_memory=shared, autoreset_mode=mode)
        ours = neuroloop.load_agents("cartpole", env, (0, 1))
        theirs = neuroloop.load_agents("cartpole", sync("CartPole-v1", mode, 2), (0, 1))
        for vector in (ours, theirs):
            vector.learn(123)
            vector.learn(100)
        env.close()
        assert [differs(a, b) for a, b in zip(ours, theirs, strict=True)] == [[], []]


def faulty(at: int) -> Any:
    """CartPole that pays NaN at a step."""
    env = gymnasium.make("CartPole-v1")
    inner, count = env.unwrapped.step, 0

    def step(action: Any) -> Any:
        nonlocal count
        count += 1
        observation, reward, *rest = inner(action)
        return observation, float("nan") if count == at else reward, *rest

    env.unwrapped.step = step
    return env


@pytest.mark.parametrize("threads", [1, 2])
def test_what_goes_wrong_with_one_seed_names_it_and_leaves_the_others_as_they_would_be(threads: int) -> None:
    envs = [gymnasium.make("CartPole-v1"), faulty(at=50), gymnasium.make("CartPole-v1")]
    vector = neuroloop.load_agents("cartpole", envs, SEEDS, threads=threads)
    with pytest.raises(PlantError, match=r"^seed 0: .*: the reward is nan"):
        vector.learn(300)
    assert vector[1].progress.actions == []  # its episode begins anew
    for agent in (vector[0], vector[2]):
        assert differs(agent, alone("cartpole", "CartPole-v1", agent.seed, agent.progress.steps)) == []
    vector.learn(100)


def test_a_fault_in_a_vector_environment_names_the_seed() -> None:
    makes = [maker("CartPole-v1"), lambda: faulty(at=50)]
    vector = neuroloop.load_agents("cartpole", SyncVectorEnv(makes, autoreset_mode=AutoresetMode.DISABLED), (4, 5))
    with pytest.raises(PlantError, match=r"^seed 5: tick 49: the reward is nan"):
        vector.learn(300)
    vector.learn(100)
    assert differs(vector[0], alone("cartpole", "CartPole-v1", 4, vector[0].progress.steps)) == []


def test_a_callback_hears_of_all_and_may_stop_them_in_the_middle_of_a_held_action() -> None:
    for env in ("Acrobot-v1", sync("Acrobot-v1", AutoresetMode.DISABLED)):
        vector, heard = neuroloop.load_agents("default", env, SEEDS), []
        vector.learn(10**9, callback=lambda progress, heard=heard: heard.append(len(progress)) or False)
        assert heard == [3]
        for agent in vector:
            assert differs(agent, alone("default", "Acrobot-v1", agent.seed, agent.progress.steps)) == []


class Silent(SyncVectorEnv):
    """Does not say who resets."""

    def __init__(self) -> None:
        super().__init__([maker("CartPole-v1")] * 3)
        self.metadata = {}


REFUSED = {
    "too few environments": (lambda: [gymnasium.make("CartPole-v1")], "for each of 3 seeds, got 1"),
    "one environment twice": (lambda: [gymnasium.make("CartPole-v1")] * 3, "share an environment"),
    "a single environment": (lambda: gymnasium.make("CartPole-v1"), "must be an id, a vector environment or a list"),
    "who resets is not said": (Silent, "does not say who resets"),
    "a wrapped one": (
        lambda: gymnasium.wrappers.vector.RecordEpisodeStatistics(sync("CartPole-v1", AutoresetMode.NEXT_STEP)),
        "not known how one of its environments is made",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_environments_that_cannot_be_used_are_refused(kind: str) -> None:
    make, message = REFUSED[kind]
    with pytest.raises(BadInput, match=message):
        neuroloop.load_agents("cartpole", make(), SEEDS)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"seeds": ()}, "needs at least one"), ({"seeds": 4}, "seeds: must be whole numbers"),
        ({"seeds": (0.5,)}, "seeds: must be a whole number"), ({"seeds": (-1,)}, "seed: must be from 0"),
        ({"threads": 0}, "threads: must be from 1"), ({"threads": 1.5}, "threads: must be a whole number"),
    ],
)  # fmt: skip
def test_bad_seeds_and_threads_are_named(how: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        neuroloop.load_agents("cartpole", **how)


def test_a_wrapped_vector_environment_works_with_agents_made_for_it() -> None:
    env = gymnasium.wrappers.vector.RecordEpisodeStatistics(sync("CartPole-v1", AutoresetMode.NEXT_STEP))
    vector = VectorAgent([neuroloop.load_agent("cartpole", seed=seed) for seed in SEEDS], env)
    assert [one.steps for one in vector.learn(60)] == [60] * 3
    with pytest.raises(BadInput, match="its observation_space is"):
        VectorAgent([neuroloop.load_agent("default", "Acrobot-v1", seed=seed) for seed in SEEDS], env)
