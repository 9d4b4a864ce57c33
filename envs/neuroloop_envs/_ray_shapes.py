"""The light of spheres, boxes, cylinders and capsules in a picture, by a ray through the middle of each pixel.

The ray of a pixel is o + t d, with d = forward + u right + v up: t is the depth, and in a shape's own frame every product of o
and d is linear in u. With c = o × d, a sphere or a cylinder of radius r is hit where r² |d|² > |c|² (for a cylinder, of what is
perpendicular to its axis), which does not cancel when the shape is far away. Only pixels that the shape's bounds cover are
looked at. A surface with normal n shows its luminance times `ambient` + (1 − `ambient`) max(0, n · sun) (Lambert 1760).
"""

import math
from typing import NamedTuple

import numpy as np
from numba import types

from neuroloop._numba import compiled_for, inline
from neuroloop_envs._ray_ground import FRAME, NUMBERS, View

f32 = np.float32
SPHERE, BOX, CYLINDER, CAPSULE, PLANE = range(5)
SEAM = 1e-4  # of the radius, by which the parts of a capsule overlap


class Row(NamedTuple):
    """Places in float64[18] of a shape."""

    kind: int = 0
    centre: int = 1  # m
    axes: int = 4  # its own x, y and z in world coordinates
    half: int = 13  # m; box: half the edges; round ones: radius, radius, half the length without caps
    light: int = 16  # luminance; a shape is not drawn where it is negative


at, has = Row(), View()


@inline
def inner(a, i, b, j):  # type: ignore[no-untyped-def]
    """The inner product of two vectors that begin at places of arrays."""
    return a[i] * b[j] + a[i + 1] * b[j + 1] + a[i + 2] * b[j + 2]


@inline
def widened(low, high, x, z, size):  # type: ignore[no-untyped-def]
    """The interval that also holds the pixels on which [x − size, x + size] / [z − size, z + size] falls."""
    near, far = z - size, z + size
    return (
        min(low, (x - size) / near, (x - size) / far),
        max(high, (x + size) / near, (x + size) / far),
    )


@inline
def bounds(box, shape, view, width, height):  # type: ignore[no-untyped-def]
    """Write the columns and rows [i0, i1), [j0, j1) that a shape can be seen in; none where i1 = 0."""
    kind, near = shape[at.kind], view[has.near]
    box[0], box[1], box[2], box[3] = 0, width, 0, height
    if kind == PLANE:
        return
    ball = shape[at.half] if kind in (SPHERE, CAPSULE) else 0.0
    hx, hy, hz = shape[at.half], shape[at.half + 1], shape[at.half + 2]
    if kind == SPHERE:
        hx, hy, hz = 0.0, 0.0, 0.0
    elif kind == CAPSULE:
        hx, hy = 0.0, 0.0
    u0, u1, v0, v1, behind, beyond, corners = np.inf, -np.inf, np.inf, -np.inf, 0, 0, 0
    for corner in range(8):
        sx, sy, sz = hx * (1 - 2 * (corner & 1)), hy * (1 - (corner & 2)), hz * (1 - (corner & 4) // 2)
        px = shape[at.centre] - view[has.eye]
        py = shape[at.centre + 1] - view[has.eye + 1]
        pz = shape[at.centre + 2] - view[has.eye + 2]
        px += sx * shape[at.axes] + sy * shape[at.axes + 3] + sz * shape[at.axes + 6]
        py += sx * shape[at.axes + 1] + sy * shape[at.axes + 4] + sz * shape[at.axes + 7]
        pz += sx * shape[at.axes + 2] + sy * shape[at.axes + 5] + sz * shape[at.axes + 8]
        x = px * view[has.right] + py * view[has.right + 1] + pz * view[has.right + 2]
        y = px * view[has.up] + py * view[has.up + 1] + pz * view[has.up + 2]
        z = px * view[has.forward] + py * view[has.forward + 1] + pz * view[has.forward + 2]
        corners += 1
        if z - ball > view[has.far]:
            beyond += 1
        if z + ball < near:
            behind += 1
        if z - ball >= near:
            u0, u1 = widened(u0, u1, x, z, ball)
            v0, v1 = widened(v0, v1, y, z, ball)
        else:  # its bounds cannot be projected: all pixels
            u0, u1, v0, v1 = -np.inf, np.inf, -np.inf, np.inf
    if behind == corners or beyond == corners:
        box[1] = 0
        return
    across, along = 0.5 * width / view[has.tan_u], 0.5 * height / view[has.tan_v]
    middle_i, middle_j = 0.5 * width - 0.5, 0.5 * height - 0.5
    box[0] = int(min(max(math.floor(middle_i + u0 * across), 0.0), width))
    box[1] = int(min(max(math.ceil(middle_i + u1 * across) + 1.0, 0.0), width))
    box[2] = int(min(max(math.floor(middle_j - v1 * along), 0.0), height))
    box[3] = int(min(max(math.ceil(middle_j - v0 * along) + 1.0, 0.0), height))


@inline
def hit_slabs(local, u, v, near):  # type: ignore[no-untyped-def]
    """Where a ray enters a box, and n · sun of that face; or an infinite depth."""
    t0, t1, shade = f32(-np.inf), f32(np.inf), f32(0.0)
    for axis in range(3):
        o, half = local[axis], local[15 + axis]
        d = local[3 + axis] + u * local[6 + axis] + v * local[9 + axis]
        if d == f32(0.0):
            d = f32(1e-30)
        one = f32(1.0) / d
        enter, leave = (-half - o) * one, (half - o) * one
        facing = -local[12 + axis]
        if enter > leave:
            enter, leave, facing = leave, enter, -facing
        if enter > t0:
            t0, shade = enter, facing
        t1 = min(t1, leave)
    return (t0 if t0 < t1 and t0 >= near else f32(np.inf)), shade


@inline
def hit_ball(local, z, u, v, near):  # type: ignore[no-untyped-def]
    """The same for a sphere around (0, 0, z)."""
    r, ox, oy, oz = local[15], local[0], local[1], local[2] - z
    dx = local[3] + u * local[6] + v * local[9]
    dy = local[4] + u * local[7] + v * local[10]
    dz = local[5] + u * local[8] + v * local[11]
    cx, cy, cz = oy * dz - oz * dy, oz * dx - ox * dz, ox * dy - oy * dx
    dd = dx * dx + dy * dy + dz * dz
    free = r * r * dd - (cx * cx + cy * cy + cz * cz)
    if not free > f32(0.0):
        return f32(np.inf), f32(0.0)
    t = -(ox * dx + oy * dy + oz * dz + math.sqrt(free)) / dd
    if t < near:
        return f32(np.inf), f32(0.0)
    shade = ((ox + t * dx) * local[12] + (oy + t * dy) * local[13] + (oz + t * dz) * local[14]) / r
    return t, shade


@inline
def hit_tube(local, capped, u, v, near):  # type: ignore[no-untyped-def]
    """The same for a cylinder around the z axis, with flat ends where it is `capped`."""
    r, half, ox, oy, oz = local[15], local[17], local[0], local[1], local[2]
    dx = local[3] + u * local[6] + v * local[9]
    dy = local[4] + u * local[7] + v * local[10]
    dz = local[5] + u * local[8] + v * local[11]
    dd, c = dx * dx + dy * dy, ox * dy - oy * dx
    free = r * r * dd - c * c
    if free > f32(0.0):
        t = -(ox * dx + oy * dy + math.sqrt(free)) / dd
        z = oz + t * dz
        if t >= near and abs(z) <= half:
            return t, ((ox + t * dx) * local[12] + (oy + t * dy) * local[13]) / r
    if capped and dz != f32(0.0):
        up = f32(1.0) if dz < f32(0.0) else f32(-1.0)  # the end that looks at the eye
        t = (up * half - oz) / dz
        x, y = ox + t * dx, oy + t * dy
        if t >= near and x * x + y * y <= r * r:
            return t, up * local[14]
    return f32(np.inf), f32(0.0)


@inline
def hit_plane(local, u, v, near):  # type: ignore[no-untyped-def]
    """The same for the plane z = 0, seen from above."""
    dz = local[5] + u * local[8] + v * local[11]
    t = local[2] / max(-dz, f32(1e-30))
    return (t if dz < f32(0.0) and t >= near else f32(np.inf)), local[14]


@inline
def hit(kind, local, u, v, near):  # type: ignore[no-untyped-def]
    """The depth at which a ray meets a shape, and n · sun there."""
    if kind == SPHERE:
        return hit_ball(local, f32(0.0), u, v, near)
    if kind == BOX:
        return hit_slabs(local, u, v, near)
    if kind == CYLINDER:
        return hit_tube(local, True, u, v, near)
    if kind == PLANE:
        return hit_plane(local, u, v, near)
    t, shade = hit_tube(local, False, u, v, near)
    if t < f32(np.inf):
        return t, shade
    upper, upper_shade = hit_ball(local, local[17], u, v, near)
    lower, lower_shade = hit_ball(local, -local[17], u, v, near)
    slope = local[5] + u * local[8] + v * local[11]
    outside = local[17] - f32(SEAM) * local[15]  # the halves of the balls that are inside cannot be seen
    if not local[2] + upper * slope >= outside:
        upper = f32(np.inf)
    if not local[2] + lower * slope <= -outside:
        lower = f32(np.inf)
    return (upper, upper_shade) if upper <= lower else (lower, lower_shade)


@compiled_for(types.void(FRAME, FRAME, NUMBERS, types.float64[:, ::1], NUMBERS, types.float32[::1], types.int64[::1]))
def see_shapes(light, depth, view, shapes, sun, local, box):  # type: ignore[no-untyped-def]
    """Draw shapes over what is farther away. `sun`: where it stands, of length 1, and the ambient share of the light.

    `local`: float32[18] to work with: eye, forward, right, up and sun in a shape's frame, and its size. `box`: int64[4].
    """
    height, width = light.shape
    du, dv = f32(2.0 * view[has.tan_u] / width), f32(2.0 * view[has.tan_v] / height)
    left, top = f32(0.5 * du - view[has.tan_u]), f32(view[has.tan_v] - 0.5 * dv)
    near, far, ambient = f32(view[has.near]), f32(view[has.far]), f32(sun[3])
    for s in range(shapes.shape[0]):
        shape = shapes[s]
        if shape[at.light] < 0.0:
            continue
        bounds(box, shape, view, width, height)
        if box[1] <= box[0] or box[3] <= box[2]:
            continue
        for axis in range(3):
            own = at.axes + 3 * axis
            local[axis] = inner(view, has.eye, shape, own) - inner(shape, at.centre, shape, own)
            local[3 + axis] = inner(view, has.forward, shape, own)
            local[6 + axis] = inner(view, has.right, shape, own)
            local[9 + axis] = inner(view, has.up, shape, own)
            local[12 + axis] = inner(sun, 0, shape, own)
            local[15 + axis] = shape[at.half + axis]
        kind, albedo = int(shape[at.kind]), f32(shape[at.light])
        for j in range(box[2], box[3]):
            v = top - f32(j) * dv
            for i in range(box[0], box[1]):
                t, shade = hit(kind, local, left + f32(i) * du, v, near)
                if t < depth[j, i] and t <= far:
                    depth[j, i] = t
                    light[j, i] = albedo * (ambient + (f32(1.0) - ambient) * max(shade, f32(0.0)))
