"""PoleBalance-v0 is a proper Gymnasium world, exact in its seed, true to its equations."""

import math
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import error
from gymnasium.utils.env_checker import check_env
from neuroloop_envs import _bullet
from neuroloop_envs.pole_balance import FORCE, PoleBalance

pybullet = pytest.importorskip("pybullet")

ID = "neuroloop_envs:neuroloop/PoleBalance-v0"
GAINS = np.array([0.1, 0.2, 3.0, 0.5])  # of position, velocity, angle and spin; found by hand
Policy = Callable[[Any], Any]


@pytest.fixture
def world() -> Iterator[PoleBalance]:
    env = PoleBalance()
    yield env
    env.close()


def play(env: gymnasium.Env[Any, Any], policy: Policy, seed: int) -> float:
    observation, _ = env.reset(seed=seed)
    total, over = 0.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(policy(observation))
        total += float(reward)
        over = terminated or truncated
    return total


def trajectory(env: PoleBalance, seed: int, n_steps: int = 60) -> list[tuple[float, ...]]:
    """The physics' own float64 state after `reset(seed)` and under that seed's small pushes."""
    env.reset(seed=seed)
    pushes = np.random.default_rng(seed).uniform(-0.3, 0.3, (n_steps, 1))
    states: list[tuple[float, ...]] = [env.state]
    for push in pushes:
        terminated = env.step(push)[2]
        states.append(env.state)
        if terminated:
            break
    return states


def test_both_checkers_pass_without_a_warning() -> None:
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    env = gymnasium.make(ID, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped, skip_render_check=True)  # it would open the human window too
        sb3.check_env(env.unwrapped)
    env.close()


def test_the_registry_holds_what_the_page_says() -> None:
    spec = gymnasium.make(ID).spec
    assert spec is not None
    assert (spec.max_episode_steps, spec.reward_threshold) == (500, 475.0)


def test_physics_after_a_seeded_reset_is_a_function_of_the_seed_alone(world: PoleBalance) -> None:
    rng = np.random.default_rng(0)
    for seed in range(10):
        fresh = PoleBalance()
        expected = trajectory(fresh, seed)
        fresh.close()
        for _ in range(5):  # random histories, far starts and hard pushes among them
            world.reset(options={"low": [-2.4, -5, -0.2, -5], "high": [2.4, 5, 0.2, 5]})
            for _ in range(int(rng.integers(40))):
                if world.step(rng.uniform(-1, 1, 1).astype(np.float32))[2]:
                    break
        assert trajectory(world, seed) == expected


def test_the_motion_is_that_of_the_cited_equations(world: PoleBalance) -> None:
    pushes = np.random.default_rng(0).uniform(-1, 1, 25)
    world.reset(seed=1)
    state = np.array(world.state)
    for push in pushes:
        for _ in range(100):
            state = runge_kutta(state, FORCE * push, 0.02 / 100)
        world.step(np.array([push]))
    # Bullet's first-order steps of 5 ms are off by 1.6e-3 (steps of 2.5 ms: 0.8e-3); with its joint
    # motors left on it would be 1.3e-1.
    assert np.abs(state - world.state).max() < 3e-3


def test_a_coasting_cart_keeps_its_speed(world: PoleBalance) -> None:
    world.reset(options={"low": [-1, 2, 0, 0], "high": [-1, 2, 0, 0]})
    for _ in range(50):
        world.step(np.zeros(1, np.float32))
    # Rounding only; Bullet's default damping of 0.04 would take 11 %.
    assert world.state == pytest.approx((1, 2, 0, 0), abs=1e-9)


def runge_kutta(state: Any, force: float, dt: float) -> Any:
    def slope(y: Any) -> Any:
        _, velocity, angle, spin = y
        inertia = 0.1 * (1 + 0.05**2) / 12 + 0.1 * 0.25
        mass = [[1.1, 0.05 * math.cos(angle)], [0.05 * math.cos(angle), inertia]]
        load = [force + 0.05 * spin**2 * math.sin(angle), 0.05 * 9.81 * math.sin(angle)]
        return np.array([velocity, 0, spin, 0]) + np.insert(np.linalg.solve(mass, load), [0, 1], 0)

    k1 = slope(state)
    k2 = slope(state + dt / 2 * k1)
    k3 = slope(state + dt / 2 * k2)
    k4 = slope(state + dt * k3)
    return state + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def test_a_linear_controller_balances_and_chance_does_not() -> None:
    env = gymnasium.make(ID)
    env.action_space.seed(0)
    linear = [play(env, lambda o: np.clip([GAINS @ o], -1, 1), seed) for seed in range(20)]
    bang_bang = [play(env, lambda o: np.sign([GAINS @ o]), seed) for seed in range(20)]
    chance = [play(env, lambda o: env.action_space.sample(), seed) for seed in range(200)]
    env.close()
    assert min(linear) == 500.0
    assert min(bang_bang) == 500.0
    assert 20.0 < np.mean(chance) < 35.0  # 26 over 1000 episodes, standard deviation 13


def test_starts_stay_in_their_range(world: PoleBalance) -> None:
    world.reset(seed=0)
    starts = []
    for _ in range(500):
        world.reset()
        starts.append(world.state)
    assert np.abs(starts).max() <= 0.05
    assert np.ptp(starts, axis=0).min() > 0.095
    world.reset(options={"low": [1, 0, 0.1, -2], "high": [1, 0, 0.1, -2]})
    assert world.state == (1, 0, 0.1, -2)


IMPOSSIBLE = [{"low": 0.1}, {"low": -0.3, "high": 0.3}, {"high": math.nan}, {"hihg": 0.01}]


@pytest.mark.parametrize("options", IMPOSSIBLE)
def test_impossible_starts_are_refused(world: PoleBalance, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"PoleBalance\.options: "):
        world.reset(options=options)


def test_pictures_show_the_cart_and_follow_it() -> None:
    env = PoleBalance(render_mode="rgb_array")
    pictures = []
    for x in (-1.0, 1.0):
        env.reset(options={"low": [x, 0, 0.1, 0], "high": [x, 0, 0.1, 0]})
        picture = env.render()
        assert picture is not None
        assert picture.shape == (240, 480, 3)
        assert picture.dtype == np.uint8
        pictures.append(picture)
    env.close()
    blue = [((p[..., 2] > 100) & (p[..., 0] < 50) & (p[..., 1] < 50)).any(0) for p in pictures]
    left, right = (np.flatnonzero(columns).mean() for columns in blue)
    assert left == pytest.approx(240 - 89, abs=12)  # 1 m at 6 m: 240 px / tan(24.8 deg) / 6
    assert right == pytest.approx(240 + 89, abs=12)


def test_closing_twice_is_fine_and_a_closed_world_says_so() -> None:
    env = PoleBalance(render_mode="rgb_array")
    env.reset(seed=0)
    env.close()
    env.close()
    other = PoleBalance()  # it gets the freed client id
    for use in (env.reset, env.render, lambda: env.step(np.zeros(1, np.float32))):
        with pytest.raises(error.ClosedEnvironmentError):
            use()
    other.close()


def test_many_worlds_share_a_process_without_meeting() -> None:
    worlds = [PoleBalance() for _ in range(12)]
    for env in worlds:
        env.reset(seed=3)
    for env in worlds[1:]:
        env.step(np.ones(1, np.float32))
    alone = trajectory(worlds[0], 3)
    assert all(trajectory(env, 3) == alone for env in worlds)
    for env in worlds:
        env.close()
    assert not pybullet.isConnected(0)


def test_a_world_left_behind_and_one_that_fails_give_their_client_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    PoleBalance()
    monkeypatch.setattr(_bullet.Bullet, "free_joints", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        PoleBalance()
    assert not pybullet.isConnected(0)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's own count")
def test_a_hundred_thousand_resets_leak_nothing(world: PoleBalance) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for _ in range(2_000):
        world.reset()
    before = resident()
    for _ in range(100_000):
        world.reset()
    assert resident() - before < 4_000_000  # 40 bytes a reset: less than any object


@pytest.mark.parametrize("mode", ["sync", "async"])
def test_vector_environments_step(mode: str) -> None:
    kwargs = {"context": "spawn"} if mode == "async" else {}
    envs = gymnasium.make_vec(ID, 2, vectorization_mode=mode, vector_kwargs=kwargs)
    observations, _ = envs.reset(seed=5)
    for _ in range(10):
        observations, *_ = envs.step(np.zeros((2, 1), np.float32))
    envs.close()
    assert observations.shape == (2, 4)
    assert (observations[0] != observations[1]).any()  # seeds 5 and 6


def test_stdout_stays_the_programs_own(capfd: pytest.CaptureFixture[str]) -> None:
    bullet = _bullet.Bullet(step_s=0.02, substeps=4)
    bullet.load("husky/husky.urdf", chatters=True)  # "No inertial data for link", says Bullet's C code
    bullet.close()
    print("mine")
    captured = capfd.readouterr()
    assert captured.out == "mine\n"
    assert not captured.err


def test_stdout_stays_the_programs_own_in_a_pipe() -> None:
    code = (
        "from neuroloop_envs import _bullet\n"
        "print('before')\n"
        "_bullet.Bullet(step_s=0.02, substeps=4).load('husky/husky.urdf', chatters=True)\n"
        "print('after')\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "before\nafter\n"


def test_importing_the_package_loads_no_physics() -> None:
    code = "import sys, neuroloop_envs; assert 'pybullet' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_pybullet_one_sentence_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pybullet", None)
    with pytest.raises(error.DependencyNotInstalled, match=r"3\.11 on Linux.*pip install pybullet"):
        PoleBalance()


def test_human_without_a_display_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(error.Error, match="needs a display"):
        PoleBalance(render_mode="human")


def test_human_is_paced_at_the_speed_of_the_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(pybullet, "GUI", pybullet.DIRECT)  # no window here: only the timing
    env = PoleBalance(render_mode="human")
    env.reset(seed=0)
    start = time.monotonic()
    for _ in range(11):
        env.step(np.zeros(1, np.float32))
    assert env.render() is None
    env.close()
    assert time.monotonic() - start >= 0.2  # the first step starts the grid: ten periods follow


def test_bad_calls_are_refused(world: PoleBalance) -> None:
    with pytest.raises(error.ResetNeeded):
        world.step(np.zeros(1, np.float32))
    world.reset(seed=0)
    with pytest.raises(error.InvalidAction, match=r"action\[0\] must lie within \[-1, 1\], got nan"):
        world.step(np.array([math.nan], np.float32))
    with pytest.raises(ValueError, match=r"PoleBalance\.render_mode: must be 'human'"):
        PoleBalance(render_mode="ansi")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"Bullet\.substeps: must be a power of two, got 3"):
        _bullet.Bullet(step_s=0.02, substeps=3)


@pytest.mark.parametrize("action", [[7.0], [-1.001], [0.5, 0.5], 0.5, "left", [None]])
def test_an_action_out_of_space_is_refused_before_anything_moves(world: PoleBalance, action: Any) -> None:
    world.reset(seed=0)
    before = world.state
    with pytest.raises(error.InvalidAction, match=r"PoleBalance\.step: "):
        world.step(action)
    assert world.state == before


def test_a_rounded_one_counts_as_one(world: PoleBalance) -> None:
    states = []
    for push in (1.0, 1.0 + 5e-7):
        world.reset(seed=0)
        world.step(np.array([push]))  # type: ignore[arg-type]
        states.append(world.state)
    assert states[0] == states[1]
