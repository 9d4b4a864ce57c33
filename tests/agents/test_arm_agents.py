"""The arm's agents learn on-line what their reflex alone cannot do."""

import numpy as np
import pytest

pytest.importorskip("pybullet")

from neuroloop_agents.studies._episodes import Noted
from neuroloop_agents.studies.arm_control import play, reflex
from neuroloop_envs._arm import TORQUES

from neuroloop import Agent
from neuroloop.agent import read_config
from neuroloop.loop.plant import make_env

STEPS = {"arm-reaching": 600, "arm-tracking": 2000}


def learning(name: str, key: str, episodes: int) -> np.ndarray:
    config = read_config(name)[1]
    env = Noted(make_env(config.plant), lambda info: info[key])
    Agent(config, env, seed=1).learn(episodes * STEPS[name])
    env.close()
    return np.array(env.ended)


def by_reflex(name: str, key: str) -> np.ndarray:
    env = make_env(read_config(name)[1].plant)
    seen = play(env, reflex, range(2), key)
    env.close()
    return seen


@pytest.mark.parametrize("name", STEPS)
def test_the_innate_controller_is_the_reflex_that_it_is_compared_with(name: str) -> None:
    config = read_config(name)[1]
    env = make_env(config.plant)
    observation, _ = env.reset(seed=3)
    for _ in range(20):
        observation = env.step(np.full(7, 0.1, np.float32))[0]
    terms = config.learner.feedback.values()
    first = [int(term.on[0].strip("[]").split(":")[0]) for term in terms]
    innate = sum(np.array(term.gain) * observation[k : k + 7] for term, k in zip(terms, first, strict=True))
    assert innate * TORQUES == pytest.approx(reflex(env.unwrapped, observation), rel=0.01, abs=0.02)
    env.close()


def test_reaching_is_learned_within_three_episodes() -> None:
    alone = by_reflex("arm-reaching", "distance")[:, -200:].mean()
    learned = learning("arm-reaching", "distance", 3)[-1, -200:].mean()
    assert alone > 0.06
    assert learned < 0.4 * alone


def test_tracking_is_learned_within_an_episode_and_what_is_picked_up_too() -> None:
    alone = by_reflex("arm-tracking", "error_rad")
    learned = learning("arm-tracking", "error_rad", 1)[0]
    for half in (slice(200, 1000), slice(1200, 2000)):  # without the first second of each, and of the payload
        assert learned[half].mean() < 0.5 * alone[:, half].mean()
