"""Settings of Stable-Baselines3 for the tasks of our benches, as rl-baselines3-zoo tuned them.

Source: DLR-RM/rl-baselines3-zoo, `hyperparams/{ppo,dqn,sac}.yml`, last changed in eec15dc (2026-04-01), read at 22e3ff2
(2026-04-23). What is not named there is Stable-Baselines3's default, here too. One task is not in the zoo:
InvertedPendulumBulletEnv-v0 takes what the zoo gives both of its relatives, the double and the swing-up pendulum.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple


class Settings(NamedTuple):
    """How one algorithm runs on one task."""

    n_steps: int  # environment steps it was tuned for: schedules span these and stay at their end
    arguments: dict[str, Any]
    policy: Mapping[str, Any] = MappingProxyType({})  # its policy_kwargs
    falling: tuple[str, ...] = ()  # arguments that fall linearly to zero
    n_envs: int = 1
    normalise: bool = False  # observations and rewards, by VecNormalize


_VALUE_NET = {"net_arch": [256, 256]}
_BULLET_SAC = Settings(
    300_000,
    {"learning_rate": 7.3e-4, "buffer_size": 300_000, "batch_size": 256, "ent_coef": "auto", "gamma": 0.98, "tau": 0.02,
     "train_freq": 8, "gradient_steps": 8, "learning_starts": 10_000, "use_sde": True},
    {"log_std_init": -3, "net_arch": [400, 300]},
)  # fmt: skip

ZOO: dict[str, dict[str, Settings]] = {
    "CartPole-v1": {
        "ppo": Settings(
            100_000,
            {"n_steps": 32, "batch_size": 256, "gae_lambda": 0.8, "gamma": 0.98, "n_epochs": 20, "ent_coef": 0.0,
             "learning_rate": 1e-3, "clip_range": 0.2},
            falling=("learning_rate", "clip_range"), n_envs=8,
        ),
        "dqn": Settings(
            50_000,
            {"learning_rate": 2.3e-3, "batch_size": 64, "buffer_size": 100_000, "learning_starts": 1000, "gamma": 0.99,
             "target_update_interval": 10, "train_freq": 256, "gradient_steps": 128, "exploration_fraction": 0.16,
             "exploration_final_eps": 0.04},
            _VALUE_NET,
        ),
    },
    "MountainCar-v0": {
        "ppo": Settings(
            1_000_000,
            {"n_steps": 16, "gae_lambda": 0.98, "gamma": 0.99, "n_epochs": 4, "ent_coef": 0.0},
            n_envs=16, normalise=True,
        ),
        "dqn": Settings(
            120_000,
            {"learning_rate": 4e-3, "batch_size": 128, "buffer_size": 10_000, "learning_starts": 1000, "gamma": 0.98,
             "target_update_interval": 600, "train_freq": 16, "gradient_steps": 8, "exploration_fraction": 0.2,
             "exploration_final_eps": 0.07},
            _VALUE_NET,
        ),
    },
    "MountainCarContinuous-v0": {
        "ppo": Settings(
            20_000,
            {"batch_size": 256, "n_steps": 8, "gamma": 0.9999, "learning_rate": 7.77e-5, "ent_coef": 0.00429,
             "clip_range": 0.1, "n_epochs": 10, "gae_lambda": 0.9, "max_grad_norm": 5.0, "vf_coef": 0.19, "use_sde": True},
            {"log_std_init": -3.29, "ortho_init": False}, normalise=True,
        ),
        "sac": Settings(
            50_000,
            {"learning_rate": 3e-4, "buffer_size": 50_000, "batch_size": 512, "ent_coef": 0.1, "train_freq": 32,
             "gradient_steps": 32, "gamma": 0.9999, "tau": 0.01, "learning_starts": 0, "use_sde": True},
            {"log_std_init": -3.67, "net_arch": [64, 64]},
        ),
    },
    "Acrobot-v1": {
        "ppo": Settings(
            1_000_000,
            {"n_steps": 256, "gae_lambda": 0.94, "gamma": 0.99, "n_epochs": 4, "ent_coef": 0.0},
            n_envs=16, normalise=True,
        ),
        "dqn": Settings(
            100_000,
            {"learning_rate": 6.3e-4, "batch_size": 128, "buffer_size": 50_000, "learning_starts": 0, "gamma": 0.99,
             "target_update_interval": 250, "train_freq": 4, "gradient_steps": -1, "exploration_fraction": 0.12,
             "exploration_final_eps": 0.1},
            _VALUE_NET,
        ),
    },
    "Pendulum-v1": {
        "ppo": Settings(
            100_000,
            {"n_steps": 1024, "gae_lambda": 0.95, "gamma": 0.9, "n_epochs": 10, "ent_coef": 0.0, "learning_rate": 1e-3,
             "clip_range": 0.2, "use_sde": True, "sde_sample_freq": 4},
            n_envs=4,
        ),
        "sac": Settings(20_000, {"learning_rate": 1e-3}),
    },
    "LunarLander-v3": {
        "ppo": Settings(
            1_000_000,
            {"n_steps": 1024, "batch_size": 64, "gae_lambda": 0.98, "gamma": 0.999, "n_epochs": 4, "ent_coef": 0.01},
            n_envs=16,
        ),
        "dqn": Settings(
            100_000,
            {"learning_rate": 6.3e-4, "batch_size": 128, "buffer_size": 50_000, "learning_starts": 0, "gamma": 0.99,
             "target_update_interval": 250, "train_freq": 4, "gradient_steps": -1, "exploration_fraction": 0.12,
             "exploration_final_eps": 0.1},
            _VALUE_NET,
        ),
    },
    "InvertedPendulumBulletEnv-v0": {
        "ppo": Settings(
            2_000_000,
            {"n_steps": 2048, "batch_size": 64, "gae_lambda": 0.95, "gamma": 0.99, "n_epochs": 10, "ent_coef": 0.0,
             "learning_rate": 2.5e-4, "clip_range": 0.2},
            n_envs=8, normalise=True,
        ),
        "sac": _BULLET_SAC,
    },
    "ReacherBulletEnv-v0": {
        "ppo": Settings(
            1_000_000,
            {"batch_size": 64, "n_steps": 512, "gamma": 0.99, "gae_lambda": 0.9, "n_epochs": 20, "ent_coef": 0.0,
             "sde_sample_freq": 4, "max_grad_norm": 0.5, "vf_coef": 0.5, "learning_rate": 3e-5, "use_sde": True,
             "clip_range": 0.4},
            {"log_std_init": -2.7, "ortho_init": False, "activation_fn": "ReLU",
             "net_arch": {"pi": [256, 256], "vf": [256, 256]}},
            falling=("clip_range",), n_envs=8, normalise=True,
        ),
        "sac": _BULLET_SAC,
    },
}  # fmt: skip
