"""One PyBullet client with all that worlds ask of it. PyBullet has no type stubs: its `Any` stays inside these files."""

from neuroloop_envs._bullet_bodies import Bodies
from neuroloop_envs._bullet_client import UPRIGHT, Pose, Quaternion, Vector, shipped
from neuroloop_envs._bullet_joints import Joints
from neuroloop_envs._bullet_pictures import Camera, Light, Pictures, Visual

__all__ = ["UPRIGHT", "Bullet", "Camera", "Light", "Pose", "Quaternion", "Vector", "Visual", "shipped"]


class Bullet(Bodies, Joints, Pictures):
    """A physics client of its own, windowless unless `human`; one `step()` lasts `step_s`. See `Client`."""
