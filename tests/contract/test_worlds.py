"""What every PyBullet world owes its users, run over everything that is registered."""

import gc
import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import error
from gymnasium.utils.env_checker import check_env
from gymnasium.vector.utils import iterate

pytest.importorskip("pybullet")

import neuroloop_envs  # noqa: F401
from neuroloop_envs._quiet import hushed
from neuroloop_envs._world import World

WORLDS = sorted(
    name for name, spec in gymnasium.registry.items() if spec.namespace == "neuroloop" and "TwoCues" not in name
)
Trace = list[bytes]


def bare(name: str, **arguments: Any) -> World:
    world = gymnasium.make(name, **arguments).unwrapped
    assert isinstance(world, World)
    return world


@pytest.fixture(params=WORLDS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def world(name: str) -> Iterator[World]:
    env = bare(name)
    yield env
    env.close()


def as_bytes(observation: Any) -> bytes:
    if isinstance(observation, dict):
        return b"".join(observation[key].tobytes() for key in sorted(observation))
    return bytes(observation.tobytes())


def readings_of(observation: Any) -> Any:
    """The floats of an observation; empty where it is a picture only."""
    if isinstance(observation, dict):
        return observation["readings"]
    return observation if observation.dtype == np.float32 else np.zeros(0, np.float32)


def actions(world: World, seed: int, n: int) -> Any:
    return np.random.default_rng(seed).uniform(-1, 1, (n, *world.action_space.shape)).astype(np.float32)


def play(world: World, seed: int, n: int = 8, options: dict[str, Any] | None = None) -> Trace:
    """Everything that comes back of an episode with random actions."""
    observation, _ = world.reset(seed=seed, options=options)
    return [as_bytes(observation), *go_on(world, seed, n)]


def go_on(world: World, seed: int, n: int = 8) -> Trace:
    """What comes back of the random actions of a seed, once an episode has begun."""
    seen: Trace = []
    for action in actions(world, seed, n):
        observation, reward, terminated, _, _ = world.step(action)
        assert world.observation_space.contains(observation)
        seen += [as_bytes(observation), np.float64(reward).tobytes()]
        if terminated:
            break
    return seen


def test_both_checkers_pass_without_a_warning(name: str) -> None:
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    env = bare(name, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env, skip_render_check=True)  # it would open the human window too
        sb3.check_env(env)
    env.close()


def test_an_episode_is_a_function_of_its_seed_whatever_was_before(name: str, world: World) -> None:
    rng = np.random.default_rng(0)
    fresh = bare(name)
    expected = [play(fresh, 5), play(fresh, 6)]
    fresh.close()
    assert expected[0] != expected[1]
    for _ in range(3):
        play(world, int(rng.integers(1000)), int(rng.integers(1, 30)))
        assert [play(world, 5), play(world, 6)] == expected


def test_a_world_that_is_forgotten_may_be_collected_while_another_is_made(name: str) -> None:
    with hushed(1):
        cycle: list[Any] = [bare(name)]
        cycle.append(cycle)
        del cycle
        gc.collect()


def test_worlds_side_by_side_do_not_meet(name: str, world: World) -> None:
    expected = play(world, 3)
    other = bare(name)
    other.reset(seed=9)
    world.reset(seed=3)
    seen = [as_bytes(world.reset(seed=3)[0])]
    for mine, theirs in zip(actions(world, 3, 8), actions(world, 9, 8), strict=True):
        observation, reward, terminated, _, _ = world.step(mine)
        seen += [as_bytes(observation), np.float64(reward).tobytes()]
        if terminated:
            break
        if other.step(theirs)[2]:
            other.reset()
    other.close()
    assert seen == expected


def test_a_bad_action_is_refused_before_anything_moves(world: World) -> None:
    expected = play(world, 2)
    n = world.action_space.shape[0]
    observation, _ = world.reset(seed=2)
    seen = [as_bytes(observation)]
    wrong = (np.full(n, math.nan), np.full(n, math.inf), np.full(n, 1.01), np.zeros(n + 1), 0.0, "fast", None)
    for bad in (*wrong, ["0.5"] * n, np.zeros(n, complex)):
        with pytest.raises(error.InvalidAction, match=rf"{type(world).__name__}\.step: "):
            world.step(bad)  # type: ignore[arg-type]
    assert seen + go_on(world, 2) == expected


def test_it_says_when_it_needs_a_reset_and_when_it_is_closed(name: str) -> None:
    env = bare(name)
    idle = np.zeros(env.action_space.shape, np.float32)
    with pytest.raises(error.ResetNeeded):
        env.step(idle)
    env.close()
    env.close()
    for call in (env.reset, env.render, lambda: env.step(idle)):
        with pytest.raises(error.ClosedEnvironmentError):
            call()


def test_it_draws_itself(name: str) -> None:
    env = bare(name, render_mode="rgb_array")
    env.reset(seed=0)
    picture = env.render()
    assert picture is not None
    assert picture.dtype == np.uint8
    assert picture.ndim == 3 and picture.shape[2] == 3  # noqa: PT018
    assert picture.std() > 1.0
    env.close()
    with pytest.raises(ValueError, match="render_mode"):
        type(env)(render_mode="ansi")  # type: ignore[call-arg]


def test_a_window_needs_a_display(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    with pytest.raises(error.Error, match="needs a display"):
        bare(name, render_mode="human")


def test_rates_must_divide(name: str, world: World) -> None:
    assert world.dt == pytest.approx(1.0 / world.rates.control_hz)
    assert world.metadata["render_fps"] == world.rates.control_hz
    with pytest.raises(ValueError, match="physics_hz: must be a multiple of"):
        bare(name, control_hz=world.rates.control_hz, physics_hz=world.rates.physics_hz + 1)


def test_parameters_are_told_drawn_and_set(name: str, world: World) -> None:
    _, info = world.reset(seed=0)
    assert set(info["parameters"]) == set(world.variation.known)
    own = [key for key, known in world.variation.known.items() if known.size is None]
    ends = {key: _around(world, key) for key in own}
    drawn = bare(name, randomise=ends)
    values = []
    for seed in (1, 2, 1):
        _, info = drawn.reset(seed=seed)
        values.append([info["parameters"][key] for key in own])
        assert all(low <= value <= high for value, (low, high) in zip(values[-1], ends.values(), strict=True))
    drawn.close()
    assert values[0] == values[2]
    assert any(a != b for a, b in zip(values[0], values[1], strict=True))
    for key in own:
        _, info = world.reset(seed=0, options={key: ends[key][1]})
        assert info["parameters"][key] == ends[key][1]
        world.step(np.zeros(world.action_space.shape, np.float32))


def _around(world: World, key: str) -> tuple[float, float]:
    known = world.variation.known[key]
    room = min(known.high - known.low, 0.2 * abs(known.default) or 0.05)
    return max(known.low, known.default - room), min(known.high, known.default + room)


def test_actuators_without_strength_do_nothing(world: World) -> None:
    strength = {"actuator_strength": 0.0}
    seen = []
    for sign in (1.0, -1.0):
        world.reset(seed=4, options=strength)
        seen.append([as_bytes(world.step(np.full(world.action_space.shape, sign, np.float32))[0]) for _ in range(3)])
    assert seen[0] == seen[1]


def test_a_push_moves_it_and_ends_when_it_should(world: World) -> None:
    still = play(world, 1, 6)
    force = (40.0, 20.0, 0.0)
    late = [{"at": 4 * world.dt, "push": force}]
    pushed = play(world, 1, 6, {"schedule": late})
    same = min(1 + 2 * 4, len(still), len(pushed))
    assert pushed[:same] == still[:same]
    assert pushed[same:] != still[same:] or len(still) <= same
    world.reset(seed=1, options={"schedule": [{"at": 0.0, "until": 2 * world.dt, "push": force}]})
    for expected in (force, force, (0.0, 0.0, 0.0)):
        world.step(np.zeros(world.action_space.shape, np.float32))
        assert world.values["push"] == expected


def test_changes_back_to_back_do_not_depend_on_the_order_of_their_rows(world: World) -> None:
    first = {"at": 0.0, "until": 2 * world.dt, "push": (1.0, 0.0, 0.0)}
    second = {"at": 2 * world.dt, "until": 4 * world.dt, "push": (2.0, 0.0, 0.0)}
    for rows in ([first, second], [second, first]):
        world.reset(seed=1, options={"schedule": rows})
        seen = []
        for _ in range(5):
            world.step(np.zeros(world.action_space.shape, np.float32))
            seen.append(world.values["push"][0])  # type: ignore[index]
        assert seen == [1.0, 1.0, 2.0, 2.0, 0.0]


def test_a_seed_begins_alike_whatever_is_drawn_or_noisy(name: str, world: World) -> None:
    expected = play(world, 5)
    own = next(key for key, known in world.variation.known.items() if known.size is None and known.default > known.low)
    default = world.variation.known[own].default
    same = bare(name, randomise={own: (default, default)})
    assert play(same, 5) == expected
    same.close()
    following = []
    for noise in (0.0, 0.1):
        play(world, 5, options={"sensor_noise": noise})
        following.append([as_bytes(world.reset()[0]) for _ in range(2)])
    assert following[0] == following[1]


def test_actuators_go_on_with_what_they_did_when_their_line_becomes_late(world: World) -> None:
    kept = np.full(world.action_space.shape, 0.1, np.float32)
    seen = []
    for options in ({}, {"schedule": [{"at": 2 * world.dt, "action_delay": 2 * world.dt}]}):
        world.reset(seed=6, options=options)
        seen.append([as_bytes(world.step(kept)[0]) for _ in range(5)])
    assert seen[0] == seen[1]


def test_late_sensors_show_what_was(world: World) -> None:
    prompt, late = [], []
    for options, seen in (({}, prompt), ({"sensor_delay": 2 * world.dt}, late)):
        observation, _ = world.reset(seed=7, options=options)
        seen.append(as_bytes(observation))
        for action in actions(world, 7, 5):
            observation, _, terminated, _, _ = world.step(action)
            seen.append(as_bytes(observation))
            if terminated:
                break
    assert late == [prompt[max(k - 2, 0)] for k in range(len(prompt))]


def test_late_actuators_do_what_was_asked_before(world: World) -> None:
    asked = actions(world, 8, 4)
    rest = np.zeros_like(asked[0])
    seen = []
    for options, sequence in (({"action_delay": world.dt}, asked), ({}, [rest, *asked[:-1]])):
        world.reset(seed=8, options=options)
        seen.append([as_bytes(world.step(action)[0]) for action in sequence])
    assert seen[0] == seen[1]


def test_dead_noisy_and_lost_sensors(world: World) -> None:
    observation, _ = world.reset(seed=0, options={"sensor_strength": 0.0})
    seen = readings_of(observation)
    assert np.array_equal(seen, np.clip(np.zeros_like(seen), world._low, world._high) if seen.size else seen)
    clean, noisy = (as_bytes(world.reset(seed=0, options={"sensor_noise": noise})[0]) for noise in (0.0, 0.05))
    assert clean != noisy
    observation, _ = world.reset(seed=0, options={"sensor_dropout": 1.0})
    first = as_bytes(observation)
    for action in actions(world, 0, 3):
        assert as_bytes(world.step(action)[0]) == first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"parameters": {"actuator_strenght": 1.0}}, "did you mean 'actuator_strength'"),
        ({"parameters": {"sensor_noise": math.nan}}, "must be a number from 0 to 1, got nan"),
        ({"parameters": {"push": (1.0, 2.0)}}, "must be one number or 3"),
        ({"randomise": {"sensor_noise": (0.5, 0.1)}}, "low must not exceed high"),
        ({"randomise": {"sensor_noise": 0.5}}, r"must be \(low, high\)"),
        ({"schedule": [{"push": (0.0, 0.0, 1.0)}]}, "needs 'at'"),
        ({"schedule": [{"at": 1.0, "until": 0.5, "push": 1.0}]}, "must be later than 'at'"),
        ({"schedule": {"at": 1.0}}, "must be rows"),
        ({"schedule": [{"at": 1.0}]}, "changes nothing"),
        ({"schedule": [{"at": 1.00001, "push": 1.0}]}, "must be a multiple of the control step"),
        ({"parameters": [1]}, "parameters: must be a dict"),
        (
            {"parameters": {"sensor_noise": 0.1}, "randomise": {"sensor_noise": (0.0, 0.1)}},
            "is set in parameters as well",
        ),
        ({"control_hz": 0}, "control_hz: must be a whole number"),
        ({"control_hz": 20.5}, "control_hz: must be a whole number"),
    ],
)
def test_wrong_parameters_are_refused_by_their_path(name: str, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bare(name, **arguments)


def test_wrong_options_are_refused_and_the_episode_goes_on(world: World) -> None:
    expected = play(world, 3)
    world.reset(seed=3)
    for options in ({"sensor_nois": 0.1}, {"sensor_noise": "much"}, {"schedule": [{"at": -1.0}]}):
        with pytest.raises(ValueError, match=type(world).__name__):
            world.reset(seed=1, options=options)
    assert [expected[0], *go_on(world, 3)] == expected


def test_a_handful_lives_in_a_vector_environment(name: str) -> None:
    envs = gymnasium.make_vec(name, num_envs=3, vectorization_mode="sync")
    envs.reset(seed=0)
    for _ in range(3):
        envs.step(envs.action_space.sample())
    envs.close()


def test_processes_of_their_own_do_too(name: str) -> None:
    arguments = {"context": "spawn"}
    envs = gymnasium.make_vec(f"neuroloop_envs:{name}", num_envs=2, vectorization_mode="async", vector_kwargs=arguments)
    single = bare(name)
    observations, _ = envs.reset(seed=[4, 5])
    mine = single.reset(seed=5)[0]
    theirs = list(iterate(envs.observation_space, observations))[1]
    assert as_bytes(theirs) == as_bytes(mine)
    action = actions(single, 0, 2)
    theirs = list(iterate(envs.observation_space, envs.step(action)[0]))[1]
    assert as_bytes(theirs) == as_bytes(single.step(action[1])[0])
    envs.close()
    single.close()


def test_its_page_tells_of_it(name: str) -> None:
    pages = Path(__file__).parents[2] / "docs"
    assert name in (pages / "worlds.md").read_text(encoding="utf-8")
