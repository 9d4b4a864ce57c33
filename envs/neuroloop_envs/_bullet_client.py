"""A connection to PyBullet: opens, loads models quietly, steps, and closes exactly once."""

import contextlib
import importlib
import os
import sys
import time
import weakref
from typing import Any

from gymnasium import error

from neuroloop_envs._quiet import hushed

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]  # x, y, z, w
Pose = tuple[Vector, Quaternion]
UPRIGHT: Quaternion = (0.0, 0.0, 0.0, 1.0)


class Client:
    """A physics client of its own, windowless unless `human`; one `step()` lasts `step_s`.

    `step_s` is divided into `substeps` integration steps, over which a pushed force is held. Only a
    power of two divides without rounding: any other count would let Bullet's internal clock drop or
    add an integration step now and then, depending on history.
    """

    def __init__(self, *, step_s: float, substeps: int, gravity: float = 9.81, human: bool = False) -> None:
        if substeps < 1 or substeps & (substeps - 1):
            raise ValueError(f"Bullet.substeps: must be a power of two, got {substeps}")
        if human and sys.platform == "linux" and not os.environ.get("DISPLAY"):
            # pybullet.GUI without a display does not raise: it ends the process.
            raise error.Error("render_mode 'human' needs a display and $DISPLAY is not set; use 'rgb_array'")
        self._p = _import_pybullet()
        with hushed(1) if human else contextlib.nullcontext():
            self._client: int = self._p.connect(self._p.GUI if human else self._p.DIRECT)
        if self._client < 0:
            raise error.Error("PyBullet gave no physics client: too many are open")
        self._disconnect = weakref.finalize(self, _disconnect, self._p, self._client)
        self._next_frame_s = 0.0
        self._gravity, self._step_s, self._substeps = gravity, step_s, substeps
        self._set_up()

    def _set_up(self) -> None:
        self._p.setGravity(0.0, 0.0, -self._gravity, physicsClientId=self._client)
        self._p.setPhysicsEngineParameter(
            fixedTimeStep=self._step_s, numSubSteps=self._substeps, physicsClientId=self._client
        )

    @property
    def closed(self) -> bool:
        """Whether the client is gone."""
        return self._client < 0

    def close(self) -> None:
        """Disconnect; a second call does nothing."""
        self._client = -1  # Bullet reuses ids: a stale one would drive somebody else's client
        self._disconnect()

    def clear(self) -> None:
        """Remove every body."""
        self._p.resetSimulation(physicsClientId=self._client)
        self._set_up()

    def load(
        self,
        urdf: str,
        *,
        fixed: bool = False,
        own_inertia: bool = False,
        visible: bool = True,
        merged: bool = False,
        chatters: bool = False,
    ) -> int:
        """Load one of PyBullet's shipped models by its relative path, or one of ours by its full path; returns its id.

        Bullet computes inertias from the shapes that collide, unless the model's `own_inertia` is to be used. A model that is
        not `visible` has no meshes to draw, which loads several times faster. `merged`: links that no joint moves become one.
        `chatters`: Bullet warns of the model, and what it prints is dropped.
        """
        flags = self._p.URDF_USE_INERTIA_FROM_FILE if own_inertia else 0
        flags |= 0 if visible else self._p.URDF_IGNORE_VISUAL_SHAPES
        flags |= self._p.URDF_MERGE_FIXED_LINKS if merged else 0
        folder = _data_path()
        with hushed(1) if chatters else contextlib.nullcontext():
            body: int = self._p.loadURDF(
                os.path.join(folder, urdf), useFixedBase=fixed, flags=flags, physicsClientId=self._client
            )
        return body

    def set_gravity(self, gravity: Vector) -> None:
        """Have gravity (m/s^2) pull another way, until `clear`."""
        self._p.setGravity(*gravity, physicsClientId=self._client)

    def set_contacts(self, *, iterations: int, cone: bool) -> None:
        """How contacts are solved: by how many iterations (Bullet's own are 50), and with the exact cone of friction, or
        without it along two axes, each by itself, which lets friction differ between them.
        """
        self._p.setPhysicsEngineParameter(
            numSolverIterations=iterations, enableConeFriction=int(cone), physicsClientId=self._client
        )

    def step(self) -> None:
        """Advance by `step_s` seconds."""
        self._p.stepSimulation(physicsClientId=self._client)

    def pace(self, seconds: float) -> None:
        """Sleep until `seconds` after the call before, so that a person sees the world at its speed."""
        now = time.monotonic()
        self._next_frame_s = max(self._next_frame_s + seconds, now)
        time.sleep(self._next_frame_s - now)


def shipped(urdf: str) -> str:
    """The text of one of PyBullet's shipped models, its files named by absolute paths."""
    folder = os.path.dirname(os.path.join(_data_path(), urdf))
    with open(os.path.join(folder, os.path.basename(urdf)), encoding="utf-8") as file:
        return file.read().replace('filename="', f'filename="{folder}/')


def _data_path() -> str:
    return str(importlib.import_module("pybullet_data").getDataPath())


def _import_pybullet() -> Any:
    try:
        with hushed(1, 2) if "pybullet" not in sys.modules else contextlib.nullcontext():
            return importlib.import_module("pybullet")
    except ImportError as exc:
        raise error.DependencyNotInstalled(
            "the PyBullet worlds need Python 3.11 on Linux x86-64, where pybullet has a wheel: pip install pybullet"
        ) from exc


def _disconnect(p: Any, client: int) -> None:
    # A window that its user closed has already disconnected.
    with contextlib.suppress(p.error):
        p.disconnect(physicsClientId=client)
