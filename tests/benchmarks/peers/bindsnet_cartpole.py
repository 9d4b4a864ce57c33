"""CartPole-v1 by BindsNET's own pipeline: GymEnvironment, bernoulli, LIF, MSTDP(ET), select_softmax, EnvironmentPipeline.

Its order is kept as shipped: the action comes from the spikes of the observation before, and the reward that answers it is
applied in every step of the next observation's simulation; eligibility goes on from one episode to the next. Ours around
it: what an observation looks like as non-negative numbers, which reward is handed over, a seed, a budget in steps.
"""

import argparse
import importlib.util
import itertools
import json
import multiprocessing
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple
from unittest.mock import MagicMock

import gymnasium
import numpy as np
import torch

if importlib.util.find_spec("torchvision") is None:  # only its data sets, which nothing here touches, need it
    names = ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.utils")
    sys.modules |= {name: MagicMock() for name in names}

from bindsnet.encoding import bernoulli
from bindsnet.environment import GymEnvironment
from bindsnet.learning import MSTDP, MSTDPET
from bindsnet.network import Network
from bindsnet.network.nodes import Input, LIFNodes
from bindsnet.network.topology import Connection
from bindsnet.pipeline import EnvironmentPipeline
from bindsnet.pipeline.action import select_softmax

torch.set_num_threads(1)
torch.set_grad_enabled(False)
WINDOW = 100
RULES = {"MSTDP": MSTDP, "MSTDPET": MSTDPET}
BOUNDS = np.array([2.4, 3.0, 0.2095, 3.5])  # position and angle: where an episode ends; speeds: seldom exceeded


class Setup(NamedTuple):
    """One way to set BindsNET up."""

    rule: str = "MSTDPET"
    cells: str = "place"  # observation as inputs: "signs" (8), "place" (4 × 11), "grid" (5⁴)
    reward: str = "native"
    nu: float = 1e-2  # of the greatest weight
    time: int = 10  # ms of simulation a control step
    tc_e_trace: float = 25.0  # ms; BindsNET's default
    hidden: int = 0  # neurons between, with fixed random weights, as in its breakout_stdp.py
    norm: bool = True  # a neuron's weights keep their sum, as there
    inhibition: float = 10.0  # mV between the two outputs
    max_prob: float = 0.5  # of a spike in a millisecond, at the centre of a cell's field


SPACE = {
    "rule": ["MSTDP", "MSTDPET", "MSTDPET"], "cells": ["signs", "place", "place", "grid"], "nu": [1e-4, 1e-3, 1e-2, 1e-1],
    "tc_e_trace": [10.0, 25.0, 100.0], "hidden": [0, 0, 100], "norm": [True, False], "inhibition": [0.0, 10.0],
    "max_prob": [0.2, 0.5, 1.0],
}  # fmt: skip
REWARDS = {"native": ["native"], "helped": ["lean", "fall", "lean", "both"]}


class Cells(gymnasium.ObservationWrapper):
    """CartPole's observation as intensities in [0, 1], which `bernoulli` asks for."""

    def __init__(self, env, kind, peak):
        super().__init__(env)
        self._kind, self._peak = kind, peak
        size = {"signs": 8, "place": 44, "grid": 625}[kind]
        self.observation_space = gymnasium.spaces.Box(0.0, 1.0, (size,), np.float32)

    def observation(self, observation):
        scaled = np.clip(observation / BOUNDS, -1.0, 1.0)
        if self._kind == "signs":  # each half of a dimension has an input of its own
            cells = np.concatenate([np.maximum(scaled, 0.0), np.maximum(-scaled, 0.0)])
        else:
            n = 11 if self._kind == "place" else 5
            bumps = np.exp(-0.5 * ((scaled[:, None] - np.linspace(-1.0, 1.0, n)) * (n - 1) / 2) ** 2)
            cells = bumps.ravel() if self._kind == "place" else np.einsum("a,b,c,d->abcd", *bumps).ravel()
        return (self._peak * cells).astype(np.float32)


class Reward(gymnasium.Wrapper):
    """What the network is paid; the native return of each episode is kept beside it."""

    def __init__(self, env, kind):
        super().__init__(env)
        self._kind, self.returns, self.steps, self._return = kind, [], 0, 0.0

    def reset(self, **arguments):
        self._return, (observation, info) = 0.0, self.env.reset(**arguments)
        self._lean = self._lean_of(observation)
        return observation, info

    def step(self, action):
        observation, native, terminated, truncated, info = self.env.step(int(action))
        self.steps, self._return = self.steps + 1, self._return + native
        if terminated or truncated:
            self.returns.append(self._return)
        before, self._lean = self._lean, self._lean_of(observation)
        paid = {
            "native": native,  # 1 a step
            "fall": -1.0 if terminated else 0.0,
            "both": -1.0 if terminated else 0.05,  # sums to nothing over 21 steps, what a random policy lasts
            "lean": float(np.clip(10.0 * (before - self._lean), -1.0, 1.0)),  # whether the last push helped
        }
        return observation, paid[self._kind], terminated, truncated, info

    @staticmethod
    def _lean_of(observation):
        """How far the pole is, or soon will be, from upright, rad."""
        return abs(observation[2] + 0.25 * observation[3])


def pipeline_of(setup, seed):
    """BindsNET's pipeline, and the wrapper that counts."""
    torch.manual_seed(seed)
    counted = Reward(gymnasium.make("CartPole-v1"), setup.reward)
    env_id = f"peer/CartPole{seed}-v1"  # GymEnvironment takes an id only
    gymnasium.register(
        env_id, lambda render_mode=None: Cells(counted, setup.cells, setup.max_prob), disable_env_checker=True
    )
    environment = GymEnvironment(env_id, clip_rewards=False)
    environment.env.reset(seed=seed)  # its own `reset`, which draws on from here, begins every episode
    n = environment.env.observation_space.shape[0]
    network = Network(dt=1.0)
    layers = [Input(n, shape=[1, n], traces=True)]
    network.add_layer(layers[0], "0")
    for size in ([setup.hidden] if setup.hidden else []) + [2]:
        layers.append(LIFNodes(size, refrac=0, traces=True))
        network.add_layer(layers[-1], str(len(layers) - 1))
    for k, (pre, post) in enumerate(itertools.pairwise(layers)):
        learns, strength = post is layers[-1], drive(setup, k, pre.n)
        rule = {"update_rule": RULES[setup.rule], "nu": setup.nu * strength, "tc_e_trace": setup.tc_e_trace}
        if learns and setup.norm:
            rule["norm"] = 0.5 * strength * pre.n
        connection = Connection(pre, post, wmin=0.0, wmax=strength, **(rule if learns else {}))
        network.add_connection(connection, str(k), str(k + 1))
    if setup.inhibition:
        lateral = Connection(layers[-1], layers[-1], w=-setup.inhibition * (1.0 - torch.eye(2)))
        network.add_connection(lateral, str(len(layers) - 1), str(len(layers) - 1))
    pipeline = EnvironmentPipeline(
        network, environment, encoding=bernoulli, action_function=select_softmax, output=str(len(layers) - 1),
        time=setup.time, random_action_after=10**9, plot_config={"data_step": None},
    )  # fmt: skip
    return pipeline, counted


def drive(setup, k, n):
    """Greatest weight, mV, such that the mean input at the mean weight lifts a LIF neuron by 4 mV a millisecond."""
    if k:
        return 8.0 / (0.15 * n)  # hidden neurons fire in about every seventh millisecond
    active = {"signs": 1.0, "place": 4 * 2.5, "grid": 2.5**4}[setup.cells]  # summed intensities
    return 8.0 / (setup.max_prob * active)


def means_of(returns):
    """Means of 100 episodes, or the mean of all where there are fewer."""
    window = min(WINDOW, len(returns))
    return np.convolve(returns, np.ones(window) / window, "valid")


def learn(stage, setup, seed, steps):
    """Train for `steps` environment steps; returns what happened."""
    pipeline, counted = pipeline_of(setup, seed)
    started = time.process_time()
    while counted.steps < steps:
        pipeline.reset_state_variables()
        done = False
        while not done and counted.steps < steps:
            batch = pipeline.env_step()
            pipeline.step(batch)
            done = batch[2]
    means = means_of(counted.returns)
    return {
        "stage": stage, "setup": setup._asdict(), "seed": seed, "steps": counted.steps, "episodes": len(counted.returns),
        "best": float(means.max()), "final": float(means[-1]), "first": float(means[0]),
        "us_per_step": (time.process_time() - started) / counted.steps * 1e6,
    }  # fmt: skip


def draws(n, rewards, rng):
    """`n` setups drawn at random."""
    return [
        Setup(reward=rewards[k % len(rewards)], **{name: rng.choice(v) for name, v in SPACE.items()}) for k in range(n)
    ]


class Study:
    """Runs that are written down as they finish; what the file already holds is not run again."""

    def __init__(self, file, pool):
        self._file, self._pool = file, pool
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        self._rows = {self._key(row): row for row in map(json.loads, lines)}

    @staticmethod
    def _key(row):
        return row["stage"], Setup(**row["setup"]), row["seed"], row["steps"]

    def run(self, stage, setups, seeds, steps):
        """What each setup got: its best mean of 100 episodes, averaged over the seeds."""
        keys = [(stage, setup, seed, steps) for setup in setups for seed in seeds]
        for future in as_completed([self._pool.submit(learn, *key) for key in keys if key not in self._rows]):
            row = future.result()
            self._rows[self._key(row)] = row
            with self._file.open("a", encoding="utf-8") as out:
                out.write(json.dumps(row) + "\n")
        return [np.mean([self._rows[stage, setup, seed, steps]["best"] for seed in seeds]) for setup in setups]


def best(setups, scores, n):
    """The `n` setups of the highest scores."""
    return [setups[k] for k in np.argsort(scores)[::-1][:n]]


def main(options):
    """For each kind of reward: a random search, the best three again with another seed, the best of these on fresh seeds."""
    with ProcessPoolExecutor(options.jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        study = Study(options.file, pool)
        for number, (name, rewards) in enumerate(REWARDS.items()):
            setups = draws(options.draws, rewards, random.Random(number))
            few = best(setups, study.run(f"{name}, search", setups, [1], options.search_steps), 3)
            chosen = best(few, study.run(f"{name}, again", few, [2], options.search_steps * 2), 1)
            study.run(f"{name}, final", chosen, options.seeds, options.steps)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="runs, a JSON line each; goes on where an interrupted study stopped")
    parser.add_argument("--steps", type=int, default=30_000, help="of the final runs")
    parser.add_argument("--search-steps", type=int, default=5_000)
    parser.add_argument("--draws", type=int, default=12, help="setups tried for each kind of reward")
    parser.add_argument("--seeds", type=int, nargs="+", default=[90_000, 90_001, 90_002, 90_003, 90_004])
    parser.add_argument("--jobs", type=int, default=1)
    main(parser.parse_args())
