"""Tuned Stable-Baselines3 (PPO, DQN, SAC) beside our agents: the same stopping rule, every environment step counted.

Returns are native and of training episodes, exploration on; an algorithm that steps several environments at once pays for
all of them. Schedules span the steps that the algorithm was tuned for, whatever the limit here, and stay at their end.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from neuroloop.errors import BadInput, MissingExtra, unknown
from neuroloop.loop.lockstep import WINDOW, Progress

from .sb3_zoo import ZOO, Settings

TUNED: dict[str, tuple[str, ...]] = {env_id: tuple(algorithms) for env_id, algorithms in ZOO.items()}
FOREVER = 2**30  # steps that `learn` is told: the stopping rule decides, and schedules do not depend on the limit


def run(algorithm: str, env_id: str, seed: int, limit: int, criterion: float | None, hold: int) -> dict[str, Any]:
    """Train until the mean of 100 training episodes reaches `criterion`, and for `hold` more; or `limit` steps in vain.

    `env_id` may be `module:id`. Returns `returns` and `lengths` in the order in which episodes ended, `solved_at_step`,
    `steps`, `cpu_s`, and `held`, the means of 100 over the episodes after the solution. Raises `BadInput` for what nobody
    tuned, and `MissingExtra` without the extra `baselines`.
    """
    settings = settings_of(algorithm, env_id)
    for name, value, least in (("seed", seed, 0), ("limit", limit, 1), ("hold", hold, 0)):
        if value < least:
            raise BadInput(f"{name}: must be at least {least}, got {value}")
    started = time.process_time()
    model = make(algorithm, settings, env_id, seed)
    watch = Watch(model, limit, criterion, hold)
    try:
        model.learn(FOREVER, callback=watch)
    finally:
        model.get_env().close()
    progress = watch.progress
    return {
        "returns": progress.returns, "lengths": progress.lengths, "solved_at_step": progress.solved_at_step,
        "steps": progress.steps, "cpu_s": time.process_time() - started, "held": watch.held(),
    }  # fmt: skip


def settings_of(algorithm: str, env_id: str) -> Settings:
    """The zoo's settings. Raises `BadInput` with the closest match."""
    name = env_id.rpartition(":")[2]
    if name not in ZOO:
        raise BadInput(unknown("environment with tuned baselines", name, ZOO))
    if algorithm not in ZOO[name]:
        raise BadInput(unknown(f"algorithm tuned for {name}", algorithm, ZOO[name]))
    return ZOO[name][algorithm]


def make(algorithm: str, settings: Settings, env_id: str, seed: int) -> Any:
    """A model and its environments, on one thread of the CPU."""
    try:
        import stable_baselines3
        import torch
        from stable_baselines3.common.env_util import make_vec_env
        from stable_baselines3.common.utils import LinearSchedule
        from stable_baselines3.common.vec_env import VecNormalize

        if "BulletEnv" in env_id:
            import pybullet_envs_gymnasium  # noqa: F401  # registers them
    except ImportError:
        raise MissingExtra(f"{algorithm} of Stable-Baselines3 on {env_id}", "baselines") from None
    torch.set_num_threads(1)
    env = make_vec_env(env_id, settings.n_envs, seed)  # each in a Monitor, which sees native rewards
    arguments, policy = dict(settings.arguments), dict(settings.policy)
    if settings.normalise:
        env = VecNormalize(env, gamma=arguments["gamma"])
    span = settings.n_steps / FOREVER
    arguments |= {name: LinearSchedule(arguments[name], 0.0, span) for name in settings.falling}
    if "exploration_fraction" in arguments:
        arguments["exploration_fraction"] *= span
    if "activation_fn" in policy:
        policy["activation_fn"] = getattr(torch.nn, policy["activation_fn"])
    kind = getattr(stable_baselines3, algorithm.upper())
    return kind("MlpPolicy", env, seed=seed, device="cpu", policy_kwargs=policy, **arguments)


class Watch:
    """A callback for `learn` that counts episodes and stops by our own rule."""

    def __init__(self, model: Any, limit: int, criterion: float | None, hold: int) -> None:
        self.progress = Progress(criterion)
        self._model = model
        self._limit = limit
        self._hold = hold
        self._solved = 0  # episodes at the solution

    def __call__(self, local: dict[str, Any], _: dict[str, Any]) -> bool:
        """After a step of every environment; False ends the training."""
        progress = self.progress
        progress.steps = self._model.num_timesteps
        for ended in (info["episode"] for info in local["infos"] if "episode" in info):
            progress.episode_return, progress.episode_steps = float(ended["r"]), int(ended["l"])
            progress.count_episode()
            if progress.solved_at_step is not None and not self._solved:
                self._solved = progress.episode
        if self._solved:
            return progress.episode < self._solved + self._hold
        return progress.steps < self._limit

    def held(self) -> list[float]:
        """Mean returns of 100 episodes, from the one that solved the task to the last."""
        if not self._solved:
            return []
        latest = self.progress.returns[self._solved - WINDOW :]
        means: list[float] = np.convolve(latest, np.ones(WINDOW) / WINDOW, "valid").tolist()
        return means
