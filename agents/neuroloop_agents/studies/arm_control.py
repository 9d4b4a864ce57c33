"""Classical controllers of the arm's worlds, to compare agents with: proportional-derivative, with and without its weight.

    tau = Kp e - Kd q'  (reaching)    tau = Kp e + Kd e'  (tracking)    + g(q)  with gravity compensation

(Takegaki and Arimoto 1981). e is the world's own joint error; g by inverse dynamics of the arm without payload.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from neuroloop_envs._arm import TORQUES
from neuroloop_envs._arm_world import ArmWorld
from numpy.typing import NDArray

from neuroloop_agents.studies._episodes import Env, episode

Array = NDArray[np.float64]
Law = Callable[[ArmWorld, Array], Array]  # the world and its observation, to torques in N m

KP = np.array([100.0, 200.0, 25.0, 70.0, 15.0, 15.0, 5.0])  # N m/rad; found by hand
KD = np.array([9.0, 22.0, 2.0, 11.0, 0.3, 0.3, 0.0])  # N m s/rad; twice these shake the joints with least inertia
GREATEST = np.array(TORQUES)


def reflex(world: ArmWorld, observation: Array) -> Array:
    """What the agents are born with: nothing but stiffness and damping."""
    if observation.size == 49:  # tracking
        missing, speeds = observation[35:42], observation[42:49]
    else:
        missing, speeds = observation[20:27], -observation[7:14]
    torques: Array = KP * missing + KD * speeds
    return torques


def compensated(world: ArmWorld, observation: Array) -> Array:
    """The same and the arm's weight."""
    torques: Array = reflex(world, observation) + np.array(world.arm.holding(world.state[0]))
    return torques


def chance(world: ArmWorld, observation: Array) -> Array:
    """Uniformly random."""
    return GREATEST * world.np_random.uniform(-1.0, 1.0, 7)


LAWS: dict[str, Law] = {"random": chance, "reflex alone": reflex, "PD with gravity compensation": compensated}


def play(env: Env, law: Law, seeds: Iterable[int], key: str) -> Array:
    """Info `key` of every step of an episode a seed, shape (seeds, steps)."""
    world = env.unwrapped
    assert isinstance(world, ArmWorld)

    def act(observation: Array) -> NDArray[np.float32]:
        command: NDArray[np.float32] = np.clip(law(world, observation) / GREATEST, -1.0, 1.0).astype(np.float32)
        return command

    return np.array([[step.info[key] for step in episode(env, act, seed)] for seed in seeds])
