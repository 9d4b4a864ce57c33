"""PoleBalance-v0: balance a pole on a cart by pushing the cart, 50 times a second.

PyBullet's shipped `cartpole.urdf` (cart 1 kg, pole 0.1 kg and 1 m long) is, without friction, the
plant of Barto, Sutton & Anderson (1983), which Gymnasium's CartPole-v1 integrates as well:

    (M + m) x'' + m l cos(theta) theta'' = F + m l theta'^2 sin(theta)
    m l cos(theta) x'' + (I + m l^2) theta'' = m g l sin(theta)

with M = 1 kg, m = 0.1 kg, l = 0.5 m, I = m (L^2 + w^2) / 12 (L = 1 m, w = 0.05 m), g = 9.81 m/s^2.
"""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from neuroloop_envs._bullet import Camera, Vector
from neuroloop_envs._parameters import Parameter, Values, Variation, common, number
from neuroloop_envs._seeing import SeeingWorld
from neuroloop_envs._world import Rates, RenderMode

if TYPE_CHECKING:
    from neuroloop_envs._scene import RayCamera

FORCE = 10.0  # N, at an action of 1: the push of CartPole-v1
X_LIMIT = 2.4  # m
ANGLE_LIMIT = math.radians(12.0)  # rad
START = 0.05  # m, m/s, rad, rad/s
BOUNDS = (2 * X_LIMIT, 5.0, 2 * ANGLE_LIMIT, 5.0)  # m, m/s, rad, rad/s

PHYSICS = {
    "cart_mass": Parameter(1.0, 0.1, 10.0, "kg", "mass of the cart"),
    "pole_mass": Parameter(0.1, 0.01, 2.0, "kg", "mass of the pole; its inertia follows"),
    "cart_damping": Parameter(0.0, 0.0, 10.0, "N s/m", "friction of the rail"),
    "pole_damping": Parameter(0.0, 0.0, 1.0, "N m s/rad", "friction of the hinge"),
}

Observed = Literal["readings", "joints", "camera", "both"]

SLIDER, HINGE = 0, 1
CART, POLE = 0, 1  # links have the numbers of their joints
DYNAMICS = {
    "cart_mass": (CART, "mass"), "pole_mass": (POLE, "mass"),
    "cart_damping": (CART, "jointDamping"), "pole_damping": (POLE, "jointDamping"),
}  # fmt: skip
CAMERA = Camera(eye=(0.0, -6.0, 0.6), target=(0.0, 0.0, 0.4), field_of_view=26.0, width=480, height=240)
BESIDE = Camera(
    eye=(0.0, -6.0, 0.45), target=(0.0, 0.0, 0.45), field_of_view=25.0, width=0, height=0
)  # sized by `size`


class PoleBalance(SeeingWorld):
    """Keep the pole within 12 degrees of upright and the cart within 2.4 m of the middle.

    Observation "readings", float32: cart position (m), cart velocity (m/s), pole angle (rad, 0 is upright,
    positive leans to +x), pole angular velocity (rad/s), clipped to +-4.8, 5, 0.42, 5. "joints": position and angle
    alone, as from encoders on the joints. "camera": a picture of rail and pole from a fixed camera beside them, uint8
    (height, width, 1). "both": a Dict of "readings" and "camera".
    Action, float32 of shape (1,): force on the cart in units of 10 N.
    Reward: 1 for each step, the one that fails included, as in CartPole-v1.

    `reset` draws the four state variables uniformly from +-`start`, one number or four, in the order and units of the
    readings; `options` may hold other ends as `low` and `high`.
    """

    def __init__(
        self,
        render_mode: RenderMode = None,
        *,
        observation: Observed = "readings",
        start: float | Sequence[float] = START,
        size: tuple[int, int] = (128, 64),
        frames: int = 1,
        parameters: Mapping[str, Any] | None = None,
        randomise: Mapping[str, Any] | None = None,
        schedule: Sequence[Mapping[str, Any]] | None = None,
        control_hz: int = 50,
        physics_hz: int = 200,
    ) -> None:
        if observation not in get_args(Observed):
            raise ValueError(
                f"PoleBalance.observation: must be 'readings', 'joints', 'camera' or 'both', got {observation!r}"
            )
        self._camera: RayCamera | None = None
        self._picked = [0, 2] if observation == "joints" else [0, 1, 2, 3]
        self._start = _start_range("start", -np.asarray(start, np.float64), start)
        self._low_start, self._high_start = self._start
        high = np.array(BOUNDS, np.float32)[self._picked]
        known = PHYSICS | common(n_actuators=1, n_readings=len(self._picked))
        super().__init__(
            Rates(control_hz, physics_hz, frames),
            Variation("PoleBalance", known, parameters, randomise, schedule),
            spaces.Box(-high, high, dtype=np.float32),
            1,
            render_mode,
            "readings" if observation == "joints" else observation,
            size,
        )

    @property
    def state(self) -> tuple[float, float, float, float]:
        """The observation's four quantities as the physics holds them: float64, not clipped."""
        (x, velocity), (angle, spin) = self._bullet.joints(self._body, (SLIDER, HINGE))
        return x, velocity, angle, spin

    def _load(self) -> None:
        self._body = self._bullet.load("cartpole.urdf", fixed=True)
        self._bullet.free_joints(self._body)
        self._bullet.paint(self._body, HINGE, (0.85, 0.45, 0.1))  # shipped white on white

    def _options(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        low, high = self._start
        ends = _start_range("options", options.get("low", low), options.get("high", high))
        self._low_start, self._high_start = ends
        return {name: value for name, value in options.items() if name not in ("low", "high")}

    def _apply(self, changed: Values) -> None:
        for name in changed:
            link, quantity = DYNAMICS[name]
            self._bullet.set_dynamics(self._body, link, **{quantity: number(changed, name)})

    def _begin(self) -> None:
        low, high = self._low_start, self._high_start
        x, velocity, angle, spin = (low + (high - low) * self.np_random.random(4)).tolist()
        self._bullet.set_joint(self._body, SLIDER, x, velocity)
        self._bullet.set_joint(self._body, HINGE, angle, spin)

    def _drive(self, command: list[float]) -> None:
        self._bullet.push(self._body, SLIDER, FORCE * command[0])

    def _shove(self, force: Vector) -> None:
        self._bullet.shove(self._body, force, CART)

    def _sense(self) -> None:
        self._now = self.state

    def _read(self) -> NDArray[np.float32]:
        x, _, angle, _ = self._now
        return self._bounded(self._now if len(self._picked) == 4 else (x, angle))

    def _see(self) -> NDArray[np.float32]:
        if self._camera is None:
            self._camera = self._beside()
        self._camera.scene.update()
        return self._camera.see(BESIDE.eye, BESIDE.target)

    def _beside(self) -> "RayCamera":
        """The camera beside the rail, with compiled code that worlds without one need not load."""
        from neuroloop_envs._scene import RayCamera, Scene

        scene = Scene(self._bullet)
        scene.add(self._body)
        width, height = self._size
        return RayCamera(scene, width=width, height=height, field_of_view=BESIDE.field_of_view)

    def _outcome(self) -> tuple[float, bool, dict[str, Any]]:
        x, _, angle, _ = self._now
        return 1.0, abs(x) > X_LIMIT or abs(angle) > ANGLE_LIMIT, {}

    def _view(self) -> Camera:
        return CAMERA


def _start_range(name: str, low: Any, high: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of the starting state's range; they lie where an episode may go on."""
    limits = np.array((X_LIMIT, BOUNDS[1], ANGLE_LIMIT, BOUNDS[3]))
    low = np.broadcast_to(np.asarray(low, np.float64), 4)
    high = np.broadcast_to(np.asarray(high, np.float64), 4)
    if not (np.all(-limits <= low) and np.all(low <= high) and np.all(high <= limits)):
        raise ValueError(
            f"PoleBalance.{name}: needs low <= high within +-{limits.round(3).tolist()}, "
            f"got low {low.tolist()}, high {high.tolist()}"
        )
    return low, high
