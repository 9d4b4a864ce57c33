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

from neuroloop._numba import called, compiled_for
from neuroloop_envs._ray_ground import FRAME, NUMBERS, View

f32 = np.float32
ZERO, TINY, FAR = f32(0.0), f32(1e-30), f32(np.inf)
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


@called
def inner(a, i, b, j):  # type: ignore[no-untyped-def]
    """The inner product of two vectors that begin at places of arrays."""
    return a[i] * b[j] + a[i + 1] * b[j + 1] + a[i + 2] * b[j + 2]


@called
def widened(low, high, x, z, size):  # type: ignore[no-untyped-def]
    """The interval that also holds the pixels on which [x − size, x + size] / [z − size, z + size] falls."""
    near, far = z - size, z + size
    return (
        min(low, (x - size) / near, (x - size) / far),
        max(high, (x + size) / near, (x + size) / far),
    )


@called
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


@called
def ball_at(o, d, s, r, z, near):  # type: ignore[no-untyped-def]
    """Where the ray o + t d enters a sphere around (0, 0, z), and n · s there; an infinite depth where it does not.

    These functions have no branches, so that many pixels are done at once.
    """
    ox, oy, oz = o[0], o[1], o[2] - z
    cx, cy, cz = oy * d[2] - oz * d[1], oz * d[0] - ox * d[2], ox * d[1] - oy * d[0]
    dd = d[0] * d[0] + d[1] * d[1] + d[2] * d[2]
    free = r * r * dd - (cx * cx + cy * cy + cz * cz)
    t = -(ox * d[0] + oy * d[1] + oz * d[2] + math.sqrt(max(free, ZERO))) / dd
    shade = ((ox + t * d[0]) * s[0] + (oy + t * d[1]) * s[1] + (oz + t * d[2]) * s[2]) / r
    return (t if (free > ZERO) & (t >= near) else FAR), shade


@called
def hit_ball(o, d, s, size, near):  # type: ignore[no-untyped-def]
    """The same for the radius that `size` holds."""
    return ball_at(o, d, s, size[0], ZERO, near)


@called
def slab(o, d, s, half, enter, leave, shade):  # type: ignore[no-untyped-def]
    """Narrow the interval in which a ray is inside a box to that between two of its faces."""
    one = f32(1.0) / (d if d != ZERO else TINY)
    low, high = (-half - o) * one, (half - o) * one
    first, last = min(low, high), max(low, high)
    return (
        max(enter, first), min(leave, last),
        (s if d < ZERO else -s) if first > enter else shade,
    )  # fmt: skip


@called
def hit_box(o, d, s, size, near):  # type: ignore[no-untyped-def]
    """The same for a box, `size` holding half its edges."""
    enter, leave, shade = slab(o[0], d[0], s[0], size[0], -FAR, FAR, ZERO)
    enter, leave, shade = slab(o[1], d[1], s[1], size[1], enter, leave, shade)
    enter, leave, shade = slab(o[2], d[2], s[2], size[2], enter, leave, shade)
    return (enter if (enter < leave) & (enter >= near) else FAR), shade


@called
def hit_side(o, d, s, r, half, near):  # type: ignore[no-untyped-def]
    """The same for the round side of a cylinder around the z axis."""
    dd, c = d[0] * d[0] + d[1] * d[1], o[0] * d[1] - o[1] * d[0]
    free = r * r * dd - c * c
    t = -(o[0] * d[0] + o[1] * d[1] + math.sqrt(max(free, ZERO))) / (dd if dd > ZERO else TINY)
    shade = ((o[0] + t * d[0]) * s[0] + (o[1] + t * d[1]) * s[1]) / r
    return (t if (free > ZERO) & (t >= near) & (abs(o[2] + t * d[2]) <= half) else FAR), shade


@called
def hit_cylinder(o, d, s, size, near):  # type: ignore[no-untyped-def]
    """The same with its flat ends, of which a ray can only meet the one that looks at the eye."""
    r, half = size[0], size[2]
    side, shade = hit_side(o, d, s, r, half, near)
    up = f32(1.0) if d[2] < ZERO else f32(-1.0)
    t = (up * half - o[2]) / (d[2] if d[2] != ZERO else TINY)
    x, y = o[0] + t * d[0], o[1] + t * d[1]
    end = t if (t >= near) & (x * x + y * y <= r * r) else FAR
    return min(side, end), (shade if side <= end else up * s[2])


@called
def hit_capsule(o, d, s, size, near):  # type: ignore[no-untyped-def]
    """The same with half a sphere at each end; the halves that are inside do not count."""
    r, half = size[0], size[2]
    t, shade = hit_side(o, d, s, r, half, near)
    edge = half - f32(SEAM) * r
    upper, upper_shade = ball_at(o, d, s, r, half, near)
    lower, lower_shade = ball_at(o, d, s, r, -half, near)
    upper = upper if (upper < FAR) & (o[2] + upper * d[2] >= edge) else FAR
    lower = lower if (lower < FAR) & (o[2] + lower * d[2] <= -edge) else FAR
    shade = shade if t <= upper else upper_shade
    t = min(t, upper)
    return min(t, lower), (shade if t <= lower else lower_shade)


@called
def hit_plane(o, d, s, size, near):  # type: ignore[no-untyped-def]
    """The same for the plane z = 0, seen from above."""
    t = o[2] / (-d[2] if d[2] < ZERO else TINY)
    return (t if (d[2] < ZERO) & (t >= near) else FAR), s[2]


def painter(hit):  # type: ignore[no-untyped-def]
    """A function that draws a row of pixels of a shape: where it is nearer than what is there."""

    @called
    def paint(light, depth, n, u0, du, o, d0, right, s, size, near, far, bright, dark):  # type: ignore[no-untyped-def]
        for i in range(n):
            u = u0 + f32(i) * du
            d = (d0[0] + u * right[0], d0[1] + u * right[1], d0[2] + u * right[2])
            t, shade = hit(o, d, s, size, near)
            nearer = (t < depth[i]) & (t <= far)
            depth[i] = t if nearer else depth[i]
            light[i] = dark + bright * min(max(shade, ZERO), f32(1.0)) if nearer else light[i]

    return paint


balls, boxes, cylinders, capsules, planes = map(painter, (hit_ball, hit_box, hit_cylinder, hit_capsule, hit_plane))


@called
def seen_from(shape, view, place):  # type: ignore[no-untyped-def]
    """A vector of the camera in a shape's frame."""
    return (
        f32(inner(view, place, shape, at.axes)),
        f32(inner(view, place, shape, at.axes + 3)),
        f32(inner(view, place, shape, at.axes + 6)),
    )


@compiled_for(types.void(FRAME, FRAME, NUMBERS, types.float64[:, ::1], NUMBERS, types.int64[::1]))
def see_shapes(light, depth, view, shapes, sun, box):  # type: ignore[no-untyped-def]
    """Draw shapes over what is farther away. `sun`: where it stands, of length 1, and the ambient share of the light.

    `box`: int64[4] to work with.
    """
    height, width = light.shape
    du, dv = f32(2.0 * view[has.tan_u] / width), f32(2.0 * view[has.tan_v] / height)
    left, top = f32(0.5 * du - view[has.tan_u]), f32(view[has.tan_v] - 0.5 * dv)
    near, far = f32(view[has.near]), f32(view[has.far])
    for k in range(shapes.shape[0]):
        shape = shapes[k]
        if shape[at.light] < 0.0:
            continue
        bounds(box, shape, view, width, height)
        if box[1] <= box[0] or box[3] <= box[2]:
            continue
        eye, centre = has.eye, at.centre
        o = (
            f32(inner(view, eye, shape, at.axes) - inner(shape, centre, shape, at.axes)),
            f32(inner(view, eye, shape, at.axes + 3) - inner(shape, centre, shape, at.axes + 3)),
            f32(inner(view, eye, shape, at.axes + 6) - inner(shape, centre, shape, at.axes + 6)),
        )
        forward, right = seen_from(shape, view, has.forward), seen_from(shape, view, has.right)
        up = seen_from(shape, view, has.up)
        s = seen_from(shape, sun, 0)
        kind, i0, i1 = int(shape[at.kind]), box[0], box[1]
        size = (f32(shape[at.half]), f32(shape[at.half + 1]), f32(shape[at.half + 2]))
        dark = f32(shape[at.light] * sun[3])
        bright = f32(shape[at.light]) - dark
        u0 = left + f32(i0) * du
        for j in range(box[2], box[3]):
            v = top - f32(j) * dv
            d = (forward[0] + v * up[0], forward[1] + v * up[1], forward[2] + v * up[2])
            here, away, n = light[j, i0:i1], depth[j, i0:i1], i1 - i0
            if kind == SPHERE:
                balls(here, away, n, u0, du, o, d, right, s, size, near, far, bright, dark)
            elif kind == BOX:
                boxes(here, away, n, u0, du, o, d, right, s, size, near, far, bright, dark)
            elif kind == CYLINDER:
                cylinders(here, away, n, u0, du, o, d, right, s, size, near, far, bright, dark)
            elif kind == CAPSULE:
                capsules(here, away, n, u0, du, o, d, right, s, size, near, far, bright, dark)
            else:
                planes(here, away, n, u0, du, o, d, right, s, size, near, far, bright, dark)
