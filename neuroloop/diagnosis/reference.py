"""What a random policy earns in an agent's environment: the floor that learning has to leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..controller import RandomController
from .record import Floats

if TYPE_CHECKING:
    from ..agent import Agent

FIRST = 1 << 33  # episodes from here on are kept apart from those of training and of evaluation
EPISODES = 20
STEPS = 2_000


def random_returns(agent: Agent, steps: int = STEPS) -> Floats:
    """Native returns of at most 20 whole episodes, within `steps` plant steps, of actions drawn uniformly.

    Actions are held for as long as the agent's own. As `Agent.evaluate`, it ends an unfinished episode of training only in
    the plant. Empty where no episode ends within the steps, or the environment fails.
    """
    plant, policy = agent.loop.plant, RandomController(agent.env.action_space, agent.seed)
    returns: list[float] = []
    try:
        while len(returns) < EPISODES:
            observation, total, ended = plant.reset(FIRST + len(returns)), 0.0, False
            while not ended and steps > 0:
                outcome = plant.exchange(policy.act(observation, 0.0, first=False))
                observation, total, ended = outcome.observation, total + outcome.reward, outcome.ended
                steps -= outcome.n_steps
            if not ended:
                break
            returns.append(total)
    except Exception:  # the agent itself was watched without: a reference is not worth a failure
        returns.clear()
    finally:
        agent.loop.leave()
    return np.array(returns, np.float64)
