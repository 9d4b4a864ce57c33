"""PoleBalance-v0: balance a pole on a cart by pushing the cart, 50 times a second.

PyBullet's shipped `cartpole.urdf` (cart 1 kg, pole 0.1 kg and 1 m long) is, without friction, the
plant of Barto, Sutton & Anderson (1983), which Gymnasium's CartPole-v1 integrates as well:

    (M + m) x'' + m l cos(theta) theta'' = F + m l theta'^2 sin(theta)
    m l cos(theta) x'' + (I + m l^2) theta'' = m g l sin(theta)

with M = 1 kg, m = 0.1 kg, l = 0.5 m, I = m (L^2 + w^2) / 12 (L = 1 m, w = 0.05 m), g = 9.81 m/s^2.
"""

import math
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import error, spaces
from numpy.typing import NDArray

from neuroloop_envs._bullet import Bullet, Camera

Array = NDArray[np.float32]

CONTROL_HZ = 50
SUBSTEPS = 4  # physics at 200 Hz
FORCE = 10.0  # N, at an action of 1: the push of CartPole-v1
X_LIMIT = 2.4  # m
ANGLE_LIMIT = math.radians(12.0)  # rad
START = 0.05  # m, m/s, rad, rad/s: reset draws from +-START
BOUNDS = (2 * X_LIMIT, 5.0, 2 * ANGLE_LIMIT, 5.0)  # m, m/s, rad, rad/s

START_RANGE = (np.full(4, -START), np.full(4, START))

METADATA: dict[str, Any] = {"render_modes": ["human", "rgb_array"], "render_fps": CONTROL_HZ}
SLIDER, HINGE = 0, 1
CAMERA = Camera(eye=(0.0, -6.0, 0.6), target=(0.0, 0.0, 0.4), field_of_view=26.0, width=480, height=240)


class PoleBalance(gymnasium.Env[Array, Array]):
    """Keep the pole within 12 degrees of upright and the cart within 2.4 m of the middle.

    Observation, float32: cart position (m), cart velocity (m/s), pole angle (rad, 0 is upright,
    positive leans to +x), pole angular velocity (rad/s), clipped to +-4.8, 5, 0.42, 5.
    Action, float32 of shape (1,): force on the cart in units of 10 N, clipped to [-1, 1].
    Reward: 1 for each step, the one that fails included, as in CartPole-v1.

    `reset` draws the four state variables uniformly from +-0.05; `options` may hold other ends as
    `low` and `high`, each one number or four, in the observation's order and units.
    """

    metadata = METADATA
    dt = 1.0 / CONTROL_HZ  # s, an environment step

    def __init__(self, render_mode: Literal["human", "rgb_array"] | None = None) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"PoleBalance.render_mode: must be 'human', 'rgb_array' or None, got {render_mode!r}")
        high = np.array(BOUNDS, np.float32)
        self.observation_space = spaces.Box(-high, high, dtype=np.float32)
        self.action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
        self.render_mode = render_mode
        self._running = False
        self._bullet = Bullet(step_s=1.0 / CONTROL_HZ, substeps=SUBSTEPS, human=render_mode == "human")
        try:
            self._body = self._bullet.load("cartpole.urdf", fixed=True)
            self._bullet.free_joints(self._body)
            self._bullet.paint(self._body, HINGE, (0.85, 0.45, 0.1))  # shipped white on white
            if render_mode == "human":
                self._bullet.aim(CAMERA)
        except BaseException:
            self._bullet.close()
            raise

    @property
    def state(self) -> tuple[float, float, float, float]:
        """The observation's four quantities as the physics holds them: float64, not clipped."""
        (x, velocity), (angle, spin) = self._bullet.joints(self._body, (SLIDER, HINGE))
        return x, velocity, angle, spin

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Array, dict[str, Any]]:
        """Put cart and pole at a random place near rest, a function of the seed alone."""
        self._check_open()
        low, high = _start_range(options) if options else START_RANGE
        super().reset(seed=seed)
        x, velocity, angle, spin = (low + (high - low) * self.np_random.random(4)).tolist()
        self._bullet.set_joint(self._body, SLIDER, x, velocity)
        self._bullet.set_joint(self._body, HINGE, angle, spin)
        self._running = True
        return _observation(x, velocity, angle, spin), {}

    def step(self, action: Array) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        """Hold a force on the cart for one control period of 20 ms."""
        if not self._running:
            self._check_open()
            raise error.ResetNeeded("PoleBalance.step: the episode is over, call reset() first")
        push = float(action[0])
        if math.isnan(push):
            raise error.InvalidAction("PoleBalance.step: the action is NaN")
        self._bullet.push(self._body, SLIDER, FORCE * min(max(push, -1.0), 1.0))
        self._bullet.step()
        if self.render_mode == "human":
            self._bullet.pace()
        x, velocity, angle, spin = self.state
        terminated = abs(x) > X_LIMIT or abs(angle) > ANGLE_LIMIT
        self._running = not terminated
        return _observation(x, velocity, angle, spin), 1.0, terminated, False, {}

    def render(self) -> NDArray[np.uint8] | None:
        """A picture of 240 x 480 pixels if `render_mode` is "rgb_array"; a window draws itself."""
        self._check_open()
        return self._bullet.photo(CAMERA) if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Leave PyBullet; a second call does nothing."""
        self._running = False
        self._bullet.close()

    def _check_open(self) -> None:
        if self._bullet.closed:
            raise error.ClosedEnvironmentError("PoleBalance: the environment is closed")


def _observation(x: float, velocity: float, angle: float, spin: float) -> Array:
    x_max, velocity_max, angle_max, spin_max = BOUNDS
    return np.array(
        (
            min(max(x, -x_max), x_max),
            min(max(velocity, -velocity_max), velocity_max),
            min(max(angle, -angle_max), angle_max),
            min(max(spin, -spin_max), spin_max),
        ),
        np.float32,
    )


def _start_range(options: dict[str, Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of the starting state's range; they lie where an episode may go on."""
    for name in options:
        if name not in ("low", "high"):
            raise ValueError(f"PoleBalance.options: takes 'low' and 'high', got {name!r}")
    limits = np.array((X_LIMIT, BOUNDS[1], ANGLE_LIMIT, BOUNDS[3]))
    low = np.broadcast_to(np.asarray(options.get("low", -START), np.float64), 4)
    high = np.broadcast_to(np.asarray(options.get("high", START), np.float64), 4)
    if not (np.all(-limits <= low) and np.all(low <= high) and np.all(high <= limits)):
        raise ValueError(
            f"PoleBalance.options: needs low <= high within +-{limits.round(3).tolist()}, "
            f"got low {low.tolist()}, high {high.tolist()}"
        )
    return low, high
