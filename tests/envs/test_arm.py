"""The arm's worlds: physics as closed forms say, references that are consistent, classical controllers that do the tasks."""

import math
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest

pytest.importorskip("pybullet")

from neuroloop_agents.studies.arm_control import compensated, play, reflex
from neuroloop_envs._arm import ANGLES, DAMPING, HAND, HOME, TORQUES, hands, postures
from neuroloop_envs._arm_world import ArmWorld
from neuroloop_envs.arm_reaching import AHEAD, ASIDE, HEIGHT, TOLERANCE, ArmReaching
from neuroloop_envs.arm_tracking import ArmTracking

REST = np.zeros(7, np.float32)
STRETCHED = (0.0, math.pi / 2, 0.0, 0.0, 0.0, 0.0, 0.0)  # straight ahead
LEVER = 0.42 + 0.40 + 0.126  # m, from the shoulder to the flange, by KUKA's data sheet
REACHING, TRACKING = "neuroloop_envs:neuroloop/ArmReaching-v0", "neuroloop_envs:neuroloop/ArmTracking-v0"


@pytest.fixture
def bare() -> Iterator[ArmReaching]:
    """An arm that nobody holds."""
    env = ArmReaching(gravity_compensation=False)
    yield env
    env.close()


@pytest.fixture
def held() -> Iterator[ArmReaching]:
    """An arm that holds itself."""
    env = ArmReaching()
    yield env
    env.close()


@pytest.fixture(params=["smooth", "eight"])
def tracking(request: pytest.FixtureRequest) -> Iterator[ArmTracking]:
    env = ArmTracking(path=request.param)
    yield env
    env.close()


def drift(world: ArmWorld, torques: Any, n_steps: int = 20) -> float:
    """How far a joint has turned at most after some control steps under constant torques (N m), in rad."""
    start = np.array(world.state[0])
    for _ in range(n_steps):
        world.step((np.asarray(torques) / TORQUES).astype(np.float32))
    return float(np.abs(np.subtract(world.state[0], start)).max())


def test_the_registry_holds_what_the_page_says() -> None:
    for name, steps in ((REACHING, 600), (TRACKING, 2000)):
        env = gymnasium.make(name)
        assert env.spec is not None
        assert env.spec.max_episode_steps == steps
        world = env.unwrapped
        assert isinstance(world, ArmWorld)
        assert (world.rates.control_hz, world.rates.physics_hz, world.rates.substeps) == (200, 1000, 1)
        env.close()


def test_the_geometry_is_that_of_the_data_sheet_and_of_the_physics(bare: ArmReaching) -> None:
    rng = np.random.default_rng(0)
    angles = rng.uniform(-1.0, 1.0, (5, 7)) * ANGLES
    for posture, at in zip(angles, hands(angles), strict=True):
        bare.reset(options={"angles": posture})
        assert bare.arm.hand() == pytest.approx(at, abs=1e-9)
        nudge = 1e-6
        moved = [(hands(posture[None] + nudge * np.eye(7)[k]) - hands(posture[None]))[0] / nudge for k in range(7)]
        assert bare.arm.jacobian(posture) == pytest.approx(np.transpose(moved), abs=1e-5)
    assert hands(np.array([STRETCHED]))[0] == pytest.approx((LEVER, 0.0, 0.36))


def test_postures_put_the_hand_where_it_should_be_and_point_it_down() -> None:
    places = np.random.default_rng(0).uniform((0.4, -0.3, 0.3), (0.6, 0.3, 0.7), (20, 3))
    angles = postures(places)
    assert hands(angles) == pytest.approx(places)
    assert angles[:, 1] - angles[:, 3] + angles[:, 5] == pytest.approx(math.pi)
    assert (np.abs(angles) < ANGLES).all()


def test_an_arm_without_torques_falls_and_one_that_compensates_gravity_stays(
    bare: ArmReaching, held: ArmReaching
) -> None:
    for world, least, most in ((bare, 0.02, 1.0), (held, 0.0, 1e-9)):
        world.reset(seed=3)
        assert least <= drift(world, np.zeros(7)) <= most


@pytest.mark.parametrize("gravity", [9.81, 1.62])
def test_a_payload_is_held_by_its_weight_times_its_lever(held: ArmReaching, gravity: float) -> None:
    mass = 4.0
    weight = np.array(
        [0.0, mass * gravity * LEVER, 0.0, -mass * gravity * (0.40 + 0.126), 0.0, 0.126 * mass * gravity, 0.0]
    )
    held.reset(options={"angles": STRETCHED, "payload": mass, "gravity": gravity})
    assert drift(held, -weight) < 2e-4  # its own compensation knows gravity, not the payload
    held.reset(options={"angles": STRETCHED, "payload": mass, "gravity": gravity})
    assert drift(held, np.zeros(7)) > 0.005


def test_a_payload_falls_as_its_inertia_says(held: ArmReaching) -> None:
    """With the payload far heavier than what turns with it, the shoulder's acceleration nears g / lever from below."""
    held.reset(
        options={"angles": STRETCHED, "payload": 14.0, "joint_friction": (0.0, 0.0, 50.0, 50.0, 50.0, 50.0, 50.0)}
    )
    held.step(REST)
    speed = held.state[1][1]
    assert 0.7 < speed / (9.81 / LEVER * held.dt) < 1.0


def test_dry_friction_holds_up_to_its_torque(held: ArmReaching) -> None:
    friction = 3.0
    turned = {}
    for torque in (0.9 * friction, 1.1 * friction):
        held.reset(options={"angles": HOME, "joint_friction": friction})
        turned[torque] = drift(held, [torque, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert turned[0.9 * friction] < 5e-5  # the solver leaves a creep of 1e-5
    assert turned[1.1 * friction] > 5e-4  # 0.3 N m on 1.3 kg m^2 for 0.1 s: 1e-3


def test_joint_damping_is_that_of_the_model(held: ArmReaching) -> None:
    held.reset(options={"angles": HOME})
    torque = 1.0
    for _ in range(20):  # 0.1 s: fifty time constants of the last joint
        held.step(np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, torque / TORQUES[6]], np.float32))
    # The joints before it are dragged along and take up some: 4 %.
    assert held.state[1][6] == pytest.approx(torque / DAMPING, rel=0.1)


def test_joints_stop_at_their_limits(held: ArmReaching) -> None:
    held.reset(options={"angles": HOME})
    for _ in range(400):
        held.step(np.ones(7, np.float32))
    assert held.state[0] == pytest.approx(ANGLES, abs=0.05)


def test_a_weak_actuator_compensates_weakly_too(held: ArmReaching) -> None:
    held.reset(options={"angles": HOME, "actuator_strength": (1.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0)})
    assert drift(held, np.zeros(7)) > 0.005
    asked = np.zeros(7)
    asked[1] = held.arm.holding(HOME)[1]  # half of it arrives: the missing half
    held.reset(options={"angles": HOME, "actuator_strength": (1.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0)})
    assert drift(held, asked, 4) < 1e-6


def test_torque_and_compensation_together_keep_to_the_greatest_torque(held: ArmReaching) -> None:
    held.reset(options={"angles": STRETCHED})
    held.step(np.array([0, -1, 0, 0, 0, 0, 0], np.float32))
    assert held._torques[1] == -TORQUES[1]


def test_a_payload_may_come_in_the_middle_of_an_episode(held: ArmReaching) -> None:
    held.reset(options={"angles": HOME, "schedule": [{"at": 0.05, "payload": 5.0}]})
    assert drift(held, np.zeros(7), 10) < 1e-9
    assert drift(held, np.zeros(7), 20) > 0.003


@pytest.mark.parametrize("make", [ArmReaching, ArmTracking])
def test_physics_after_a_seeded_reset_is_a_function_of_the_seed_alone(make: Any) -> None:
    def trace(world: ArmWorld) -> list[Any]:
        world.reset(seed=5)
        commands = np.random.default_rng(5).uniform(-0.5, 0.5, (50, 7)).astype(np.float32)
        seen = []
        for command in commands:
            world.step(command)
            seen.append(world.state)
        return seen

    used, fresh = make(), make()
    rng = np.random.default_rng(0)
    for strength in (0.3, 1.0):  # into the limits of its joints and of their speeds, with friction and a load
        used.reset(options={"payload": 5.0, "joint_friction": 4.0, "gravity": 3.0})
        for command in rng.uniform(-strength, strength, (100, 7)).astype(np.float32):
            used.step(command)
        assert trace(used) == trace(fresh)
    used.close()
    fresh.close()


def test_targets_and_starts_lie_where_the_page_says(held: ArmReaching) -> None:
    held.reset(seed=0)
    targets, starts = [], []
    for _ in range(300):
        held.reset()
        x, y, z = held.target
        targets.append((math.hypot(x, y), math.atan2(y, x), z))
        starts.append(held.state[0])
    low, high = np.transpose([AHEAD, (-ASIDE, ASIDE), HEIGHT])
    assert (low <= targets).all() and (targets <= high).all()  # noqa: PT018
    assert (np.ptp(targets, axis=0) > 0.9 * (high - low)).all()
    assert np.abs(np.subtract(starts, HOME)).max() <= 0.1


def test_what_reaching_observes_pays_and_tells(held: ArmReaching) -> None:
    held.reset(options={"angles": HOME, "target": (0.5, 0.2, 0.4)})
    command = np.array([0.1, 0.0, -0.2, 0.0, 0.0, 0.0, 0.0], np.float32)
    observation, reward, terminated, _, info = held.step(command)
    angles, velocities = held.state
    hand = np.array(held.arm.hand())
    away = np.subtract((0.5, 0.2, 0.4), hand)
    assert observation == pytest.approx(np.concatenate([angles, velocities, hand, away]), abs=1e-6)
    assert info["distance"] == pytest.approx(np.linalg.norm(away))
    assert reward == pytest.approx(-info["distance"] - 0.01 * 0.05, abs=1e-6)
    assert (terminated, info["success"]) == (False, False)
    held.reset(options={"angles": HOME, "target": held.arm.hand()})
    near = (hands(np.array([HOME]))[0] + (0.0, 0.9 * TOLERANCE, 0.0)).tolist()
    held.reset(options={"angles": HOME, "target": near})
    assert held.step(REST)[4]["success"]


def test_turning_by_the_joint_error_brings_the_hand_closer() -> None:
    world = ArmReaching(joint_error=True)
    for seed in range(10):
        observation, _ = world.reset(seed=seed)
        angles = np.array(world.state[0])
        assert observation[20:] == pytest.approx(world.joint_error, abs=1e-6)
        before = math.dist(world.target, hands(angles[None])[0])
        after = math.dist(world.target, hands(angles[None] + 0.2 * observation[20:])[0])
        assert after < 0.95 * before
    world.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"target": (0.5, 0.2)}, "must be 3 numbers"),
        ({"target": (0.5, 0.2, math.nan)}, "must be 3 numbers"),
        ({"target": (2.0, 0.0, 0.3)}, "within 0.9 m of the shoulder"),
        ({"angles": (0.0,) * 6}, "must be 7 numbers"),
        ({"angles": (0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0)}, "within the joint limits"),
    ],
)
def test_impossible_starts_and_targets_are_refused(held: ArmReaching, options: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"ArmReaching\.options\.{next(iter(options))}: .*{message}"):
        held.reset(options=options)


def test_wrong_arguments_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"ArmTracking\.path: must be 'smooth' or 'eight', got 'round'"):
        ArmTracking(path="round")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"ArmReaching\.gravity_compensation: must be true or false"):
        ArmReaching(gravity_compensation="yes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"ArmReaching\.joint_error: must be true or false"):
        ArmReaching(joint_error=1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"ArmTracking\.physics_hz: must be at least 500"):
        ArmTracking(control_hz=100, physics_hz=400)


def test_a_reference_begins_at_rest_and_its_derivatives_are_its_own(tracking: ArmTracking) -> None:
    observation, _ = tracking.reset(seed=2)
    assert observation[14:21] == pytest.approx(observation[:7], abs=1e-6)
    assert observation[21:35] == pytest.approx(np.zeros(14), abs=1e-2)
    wanted = np.array(tracking._wanted)
    dt = tracking.dt
    angles, velocities, accelerations = wanted[:, :7], wanted[:, 7:14], wanted[:, 14:]
    assert (angles[2:] - angles[:-2]) / (2 * dt) == pytest.approx(velocities[1:-1], abs=2e-3)
    assert (velocities[2:] - velocities[:-2]) / (2 * dt) == pytest.approx(accelerations[1:-1], abs=5e-2)
    assert (np.abs(angles) < ANGLES).all()
    assert 0.3 < np.abs(velocities).max() < 3.0
    other, _ = tracking.reset(seed=3)
    assert not np.array_equal(np.array(tracking._wanted)[500], wanted[500])
    assert other.shape == (49,)


def test_an_eight_is_drawn_by_the_hand_and_closes() -> None:
    world = ArmTracking(path="eight")
    world.reset(seed=1)
    period = 1.0 / abs(world._pace)
    t_s = 1.0 + np.linspace(0.0, period, 400)
    drawn = hands(world.reference(t_s))
    assert drawn[0] == pytest.approx(drawn[-1])
    assert np.ptp(drawn[:, 0]) < 1e-9  # across the view
    assert np.ptp(drawn[:, 1]) == pytest.approx(2 * world._width, rel=1e-3)
    assert np.ptp(drawn[:, 2]) == pytest.approx(world._tall, rel=1e-3)
    world.close()


def test_a_reference_goes_on_without_a_seam_when_episodes_are_longer() -> None:
    world = ArmTracking()
    world.reset(seed=1)
    world._work_out(1999)
    last = np.array(world._wanted[-1][:7])
    world._work_out(2000)
    first, velocity = np.array(world._wanted[0][:7]), np.array(world._wanted[0][7:14])
    assert first - last == pytest.approx(velocity * world.dt, abs=1e-4)
    world.close()


def test_what_tracking_pays_and_tells(tracking: ArmTracking) -> None:
    tracking.reset(seed=1)
    for _ in range(100):
        observation, reward, terminated, _, info = tracking.step(np.full(7, 0.05, np.float32))
    missing = observation[14:21] - observation[:7]
    assert observation[35:42] == pytest.approx(missing, abs=1e-5)
    assert observation[42:49] == pytest.approx(observation[21:28] - observation[7:14], abs=1e-5)
    assert info["error_rad"] == pytest.approx(np.sqrt(np.mean(missing**2)), abs=1e-5)
    assert (reward, terminated) == (-info["error_rad"], False)
    wanted = hands(observation[None, 14:21].astype(np.float64))[0]
    assert info["error_m"] == pytest.approx(math.dist(wanted, tracking.arm.hand()), abs=1e-5)


def test_pd_with_gravity_compensation_reaches_and_without_it_sags() -> None:
    env = gymnasium.make(REACHING, gravity_compensation=False, joint_error=True)
    with_it, without = (play(env, law, range(3), "distance")[:, -200:].mean() for law in (compensated, reflex))
    env.close()
    assert with_it < 0.01
    assert without > 0.05


def test_pd_with_gravity_compensation_tracks() -> None:
    env = gymnasium.make(TRACKING, gravity_compensation=False, path="eight", max_episode_steps=600)
    assert play(env, compensated, range(2), "error_rad").max() < 0.1
    env.close()


def test_pictures_show_the_target_where_it_is() -> None:
    world = ArmReaching(render_mode="rgb_array")
    columns = []
    for y in (-0.3, 0.3):
        world.reset(options={"target": (0.5, y, 0.6)})
        picture = world.render()
        assert picture is not None
        r, g, b = (picture[..., k].astype(int) for k in range(3))
        columns.append(np.flatnonzero(((g > 60) & (g > 1.5 * r) & (g > 1.5 * b)).any(0)).mean())
    world.close()
    assert columns[1] - columns[0] > 50  # seen from behind its right: left is y < 0


def test_the_hand_is_the_link_that_we_added(bare: ArmReaching) -> None:
    bare.reset(options={"angles": STRETCHED})
    assert bare.arm.hand() == pytest.approx((LEVER, 0.0, 0.36), abs=1e-6)
    assert HAND == 7
