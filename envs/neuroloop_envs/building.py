"""What worlds are made of, for worlds of your own: see `docs/your-robot.md`."""

from neuroloop_envs._bullet import UPRIGHT, Bullet, Camera, Vector
from neuroloop_envs._parameters import Parameter, Values, Variation, common, number, numbers
from neuroloop_envs._scene import Ground, RayCamera, Scene, TinyCamera, picture
from neuroloop_envs._seeing import SeeingWorld
from neuroloop_envs._world import Rates, World

__all__ = [
    "UPRIGHT",
    "Bullet",
    "Camera",
    "Ground",
    "Parameter",
    "Rates",
    "RayCamera",
    "Scene",
    "SeeingWorld",
    "TinyCamera",
    "Values",
    "Variation",
    "Vector",
    "World",
    "common",
    "number",
    "numbers",
    "picture",
]
