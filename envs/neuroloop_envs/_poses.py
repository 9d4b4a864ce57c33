"""Where shapes are: the pose of a link, and in it the place of each shape."""

from numba import types

from neuroloop._numba import compiled_for
from neuroloop_envs._bullet import Pose
from neuroloop_envs._ray_shapes import at
from neuroloop_envs._turns import turned


@compiled_for(types.void(types.float64[:, ::1], types.float64[:, ::1], types.int64[::1], types.float64[:, ::1]))
def pose_shapes(frames, places, frame_of, shapes):  # type: ignore[no-untyped-def]
    """Put shapes where their frames are. A frame and a place in it are a position and a quaternion (x, y, z, w)."""
    for s in range(shapes.shape[0]):
        f, p = frames[frame_of[s]], places[s]
        fx, fy, fz, fw = f[3], f[4], f[5], f[6]
        # f ⊗ p, the product of the two turns
        x = fw * p[3] + fx * p[6] + fy * p[5] - fz * p[4]
        y = fw * p[4] - fx * p[5] + fy * p[6] + fz * p[3]
        z = fw * p[5] + fx * p[4] - fy * p[3] + fz * p[6]
        w = fw * p[6] - fx * p[3] - fy * p[4] - fz * p[5]
        # p's position turned by f: q + 2 f × (f × q + w q)
        qx, qy, qz = p[0], p[1], p[2]
        tx = 2.0 * (fy * qz - fz * qy)
        ty = 2.0 * (fz * qx - fx * qz)
        tz = 2.0 * (fx * qy - fy * qx)
        shape = shapes[s]
        shape[at.centre] = f[0] + qx + fw * tx + fy * tz - fz * ty
        shape[at.centre + 1] = f[1] + qy + fw * ty + fz * tx - fx * tz
        shape[at.centre + 2] = f[2] + qz + fw * tz + fx * ty - fy * tx
        n = 1.0 / (x * x + y * y + z * z + w * w)
        a = at.axes
        shape[a], shape[a + 1], shape[a + 2] = (
            1.0 - 2.0 * n * (y * y + z * z), 2.0 * n * (x * y + z * w), 2.0 * n * (x * z - y * w)
        )  # fmt: skip
        shape[a + 3], shape[a + 4], shape[a + 5] = (
            2.0 * n * (x * y - z * w), 1.0 - 2.0 * n * (x * x + z * z), 2.0 * n * (y * z + x * w)
        )  # fmt: skip
        shape[a + 6], shape[a + 7], shape[a + 8] = (
            2.0 * n * (x * z + y * w), 2.0 * n * (y * z - x * w), 1.0 - 2.0 * n * (x * x + y * y)
        )  # fmt: skip


def base_frame(pose: Pose, centre_of_mass: Pose) -> Pose:
    """The frame of a body's base, from where its centre of mass is and where that lies in the frame."""
    (px, py, pz), (ax, ay, az, aw) = pose
    (cx, cy, cz), (bx, by, bz, bw) = centre_of_mass
    if (bx, by, bz, cx, cy, cz) == (0.0, 0.0, 0.0, 0.0, 0.0, 0.0):
        return pose
    x = -aw * bx + ax * bw - ay * bz + az * by  # a ⊗ b*, the turn of the frame
    y = -aw * by + ax * bz + ay * bw - az * bx
    z = -aw * bz - ax * by + ay * bx + az * bw
    w = aw * bw + ax * bx + ay * by + az * bz
    dx, dy, dz = turned((cx, cy, cz), (x, y, z, w))
    return (px - dx, py - dy, pz - dz), (x, y, z, w)
