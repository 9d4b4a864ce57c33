"""QuadrupedWalk-v0 is a proper Gymnasium world, exact in its seed, and honest about motors, ground and what it pays for."""

import math
import warnings
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from neuroloop_agents.studies.walking_sines import ENV, STANDING, TROT, action, walk
from neuroloop_envs._quadruped import HEIGHT, TORQUE
from neuroloop_envs.quadruped_walk import LOWEST, QuadrupedWalk

pybullet = pytest.importorskip("pybullet")

STILL = np.zeros(12, np.float32)
SLOW = TROT._replace(upper=0.3, lower=0.4)


@pytest.fixture
def world() -> Iterator[QuadrupedWalk]:
    env = QuadrupedWalk()
    yield env
    env.close()


def trajectory(env: QuadrupedWalk, seed: int, n_steps: int = 25) -> list[Any]:
    """All that is measured, float64, after `reset(seed)` and under that seed's actions."""
    env.reset(seed=seed)
    measured: list[Any] = [env.body]
    for asked in np.random.default_rng(seed).uniform(-0.5, 0.5, (n_steps, 12)):
        env.step(asked)
        measured.append(env.body)
    return measured


def stand(env: QuadrupedWalk, n_steps: int = 75, **options: Any) -> tuple[Any, bool, dict[str, Any]]:
    observation, _ = env.reset(seed=0, options=options)
    terminated, info = False, dict[str, Any]()
    for _ in range(n_steps):
        observation, _, terminated, _, info = env.step(STILL)
        if terminated:
            break
    return observation, terminated, info


def test_both_checkers_pass_without_a_warning() -> None:
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    env = gymnasium.make(ENV, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=True)  # it would open the human window too
        sb3.check_env(env.unwrapped)
    env.close()


def test_the_registry_holds_what_the_page_says() -> None:
    spec = gymnasium.make(ENV).spec
    assert spec is not None
    assert spec.max_episode_steps == 1000  # 20 s


def test_physics_after_a_seeded_reset_is_a_function_of_the_seed_alone(world: QuadrupedWalk) -> None:
    rng = np.random.default_rng(0)
    for seed in range(3):
        fresh = QuadrupedWalk()
        expected = trajectory(fresh, seed)
        fresh.close()
        for _ in range(3):  # random histories, falls and changed parameters among them
            world.reset(options={"payload": rng.uniform(0, 5), "friction": rng.uniform(0.2, 1), "slope": 0.1})
            for _ in range(int(rng.integers(60))):
                if world.step(rng.uniform(-1, 1, 12))[2]:
                    break
        assert trajectory(world, seed) == expected


def test_a_robot_that_is_drawn_moves_as_one_that_is_not(world: QuadrupedWalk) -> None:
    drawn = QuadrupedWalk("rgb_array")
    assert trajectory(drawn, 3) == trajectory(world, 3)
    picture = drawn.render()
    drawn.close()
    assert picture is not None
    assert picture.shape == (320, 480, 3)
    assert picture.std() > 10.0  # there is something to see


def test_it_stands_on_four_feet_and_feels_gravity(world: QuadrupedWalk) -> None:
    observation, terminated, info = stand(world)
    assert not terminated
    assert world.body.position[2] == pytest.approx(HEIGHT, abs=0.02)
    assert observation[33:].tolist() == [1, 1, 1, 1]
    assert observation[30:33] == pytest.approx([0, 0, 9.81], abs=0.3)
    assert observation[24:27] == pytest.approx([0, 0, 0], abs=0.03)
    assert abs(info["distance"]) < 0.03
    assert world.observation_space.contains(observation)


def test_the_observation_holds_angles_then_speeds_in_the_order_of_the_page(world: QuadrupedWalk) -> None:
    world.reset(seed=0)
    raised = STILL.copy()
    raised[[3, 4, 8]] = 1.0  # front left hip and upper, rear right lower
    for _ in range(3):
        observation, *_ = world.step(raised)
    moved = observation[:12] - np.array([0, 0.9, -1.8] * 4)
    assert set(np.argsort(-np.abs(moved))[:3]) == {3, 4, 8}
    assert np.array_equal(observation[:12], np.float32(world.body.angles))
    assert np.array_equal(observation[12:24], np.float32(world.body.speeds))


def test_a_slope_is_felt_by_the_inertial_unit(world: QuadrupedWalk) -> None:
    observation, terminated, _ = stand(world, slope=0.15)
    assert not terminated
    assert observation[25] == pytest.approx(-0.15, abs=0.05)  # the nose is up
    assert observation[30] == pytest.approx(9.81 * math.sin(0.15), abs=0.5)


def test_a_payload_weighs_and_motors_without_strength_let_it_fall(world: QuadrupedWalk) -> None:
    stand(world)
    height = world.body.position[2]
    assert not stand(world, payload=5.0)[1]
    assert world.body.position[2] < height - 0.005
    _, terminated, _ = stand(world, motor_strength=0.0)
    assert terminated
    assert world.body.position[2] < LOWEST


def test_one_weak_motor_is_one_weak_joint(world: QuadrupedWalk) -> None:
    strength = [1.0] * 12
    strength[5] = 0.3  # lower joint of the front left leg
    observation, *_ = stand(world, n_steps=25, motor_strength=strength)
    sag = np.abs(observation[[2, 5, 8, 11]] + 1.8)
    assert int(np.argmax(sag)) == 1


def test_a_push_to_the_left_moves_it_to_the_left(world: QuadrupedWalk) -> None:
    stand(world, n_steps=30, schedule=[{"at": 0.2, "until": 0.4, "push": (0.0, 60.0, 0.0)}])
    assert world.body.position[1] > 0.02


def test_motors_never_give_more_than_their_greatest_torque(world: QuadrupedWalk) -> None:
    world.reset(seed=0)
    given: list[float] = []
    push_all = world._bullet.push_all
    world._bullet.push_all = lambda body, joints, forces: (given.extend(forces), push_all(body, joints, forces))[1]  # type: ignore[method-assign]
    for sign in (1, -1) * 3:
        world.step(np.full(12, float(sign)))
    assert len(given) == 6 * 8 * 12  # 400 Hz
    assert max(np.abs(given)) == TORQUE


def test_the_reward_is_what_the_page_says(world: QuadrupedWalk) -> None:
    world.reset(seed=1)
    spent = 0.0
    for step in range(60):
        observation, reward, _, _, info = world.step(action(SLOW, step * 0.02, 0.0))
        power, spent = (info["energy"] - spent) / 0.02, info["energy"]
        tilt = float(observation[24]) ** 2 + float(observation[25]) ** 2
        assert reward == pytest.approx(min(info["speed"], 1.0) - 0.001 * power - 0.5 * tilt, abs=1e-5)
    assert spent > 0.0


def test_a_trot_walks_and_neither_chance_nor_standing_does() -> None:
    env = gymnasium.make(ENV)
    env.action_space.seed(0)
    _, trot = walk(env, SLOW, seed=0, steps=250)
    _, still = walk(env, STANDING, seed=0, steps=250)
    env.reset(seed=0)
    lasted, terminated = 0, False
    while not terminated and lasted < 1000:
        _, _, terminated, _, chance = env.step(env.action_space.sample())
        lasted += 1
    env.close()
    assert trot["distance"] > 1.0  # 5 s
    assert abs(still["distance"]) < 0.05
    assert lasted < 600
    assert chance["distance"] < 0.5


def test_a_reset_leaves_no_body_behind(world: QuadrupedWalk) -> None:
    for seed in range(20):
        world.reset(seed=seed)
    assert pybullet.getNumBodies(physicsClientId=world._bullet._client) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"speed": 0.0}, "QuadrupedWalk.speed: must be above 0 and at most 5 m/s, got 0.0"),
        ({"speed": math.nan}, "QuadrupedWalk.speed: must be above 0"),
        ({"parameters": {"payload": 11.0}}, "payload: must be a number from 0 to 10 kg, got 11.0"),
        ({"parameters": {"frictoin": 1.0}}, "did you mean 'friction'"),
        ({"physics_hz": 130}, "physics_hz: must be a multiple of 50 Hz of control"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        QuadrupedWalk(**arguments)
