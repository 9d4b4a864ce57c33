"""The light of sky and ground in a picture, by a ray through the middle of each pixel, and how far off the ground is.

A pixel covers a quadrangle of ground, spanned by a = ∂P/∂column and b = ∂P/∂row of the point P that its ray hits. The light is
the mean of `n` samples along the longer of the two, each taken from the two copies of the picture whose texels are next in
size to the shorter one or to the n-th part of the longer one (Williams 1983; McCormack et al. 1999, "Feline"), between texels
bilinearly. So neither the near ground nor the far one flickers when the camera moves.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import types

from neuroloop._numba import compiled_for, inline, places

f32 = np.float32
SEGMENT = 32  # columns that share their copies of the picture
MOST = 4  # samples of a pixel
BAND = 3.0  # copies are blended over 1 / BAND of the way from one to the next
SHARPER = 0.7  # texels are this much smaller than what they are to blur

FRAME = types.float32[:, ::1]
TEXELS = types.float32[::1]
NUMBERS = types.float64[::1]


class View(NamedTuple):
    """Places in float64[17] of what a camera is: m in world coordinates. Depth is measured along `forward`."""

    eye: int = 0
    forward: int = 3  # of length 1, as the two that follow
    right: int = 6
    up: int = 9
    tan_u: int = 12  # of half the field of view, across
    tan_v: int = 13  # and along the columns
    near: int = 14
    far: int = 15
    ground: int = 16  # 0 where there is none


class Lie(NamedTuple):
    """Places in float64[6] of how the painted rectangle lies, m."""

    x0: int
    y0: int
    width: int
    height: int
    texel: int
    tiled: int  # 1 where the picture repeats


has, of = View(), places(Lie)


@inline
def level_of(view, u, v, du, dv, texel):  # type: ignore[no-untyped-def]
    """Of the pixel at (u, v): the copy to take, as a real number, in how many samples, and whether these lie along b."""
    dz = view[has.forward + 2] + u * view[has.right + 2] + v * view[has.up + 2]
    if dz > -1e-9:
        dz = -1e-9
    t = min(-view[has.eye + 2] / dz, view[has.far])
    dx = view[has.forward] + u * view[has.right] + v * view[has.up]
    dy = view[has.forward + 1] + u * view[has.right + 1] + v * view[has.up + 1]
    tilt_a, tilt_b = view[has.right + 2] / dz, view[has.up + 2] / dz
    a = t * du * math.hypot(view[has.right] - dx * tilt_a, view[has.right + 1] - dy * tilt_a)
    b = t * dv * math.hypot(view[has.up] - dx * tilt_b, view[has.up + 1] - dy * tilt_b)
    long, short = max(a, b), min(a, b)
    n = int(min(math.ceil(long / max(short, 1e-12) - 0.25), MOST))
    n = max(n, 1)
    size = max(short, long / n)
    return math.log2(max(SHARPER * size / texel, 1.0)), n, b >= a


@inline
def add_samples(out, weight, texels, level, x, y, cx, cy, n):  # type: ignore[no-untyped-def]
    """Add bilinear light at the shares (x, y) of the painted rectangle. Unsigned places cost no test of the sign."""
    columns, rows = f32(level[1]), f32(level[2])
    last_x, last_y = columns + f32(0.999), rows + f32(0.999)
    for i in range(n):  # apart from the rest, so that many are done at once
        cx[i] = min(max(x[i] * columns + f32(0.5), f32(0.0)), last_x)
        cy[i] = min(max(y[i] * rows + f32(0.5), f32(0.0)), last_y)
    begin, stride, one = np.uint64(level[0]), np.uint64(level[1] + 2), np.uint64(1)
    for i in range(n):
        ix, iy = np.int32(cx[i]), np.int32(cy[i])
        fx, fy = cx[i] - f32(ix), cy[i] - f32(iy)
        first = np.uint64(iy) * stride + np.uint64(ix) + begin
        second = first + stride
        upper = texels[first] + fx * (texels[first + one] - texels[first])
        lower = texels[second] + fx * (texels[second + one] - texels[second])
        out[i] += weight[i] * (upper + fy * (lower - upper))


@compiled_for(types.void(FRAME, FRAME, NUMBERS, TEXELS, types.int64[:, ::1], NUMBERS, types.float64, FRAME))
def see_ground(light, depth, view, texels, levels, lie, sky, scratch):  # type: ignore[no-untyped-def]
    """Fill `light`, and `depth` in m: infinite where there is only sky. `scratch`: float32[10, SEGMENT]."""
    height, width = light.shape
    du, dv = 2.0 * view[has.tan_u] / width, 2.0 * view[has.tan_v] / height
    eye_z, near, far = f32(view[has.eye + 2]), f32(view[has.near]), f32(view[has.far])
    ex = f32((view[has.eye] - lie[of.x0]) / lie[of.width])
    ey = f32((view[has.eye + 1] - lie[of.y0]) / lie[of.height])
    wide, high, wraps = f32(1.0 / lie[of.width]), f32(1.0 / lie[of.height]), f32(lie[of.tiled])
    rx, ry, rz = f32(view[has.right]), f32(view[has.right + 1]), f32(view[has.right + 2])
    step, left = f32(du), f32(0.5 * du - view[has.tan_u])
    coarsest = levels.shape[0] - 1
    xs, ys, bx, by, sx, sy, fine, coarse, cx, cy = (
        scratch[0], scratch[1], scratch[2], scratch[3], scratch[4], scratch[5], scratch[6], scratch[7],
        scratch[8], scratch[9],
    )  # fmt: skip
    for j in range(height):
        v = view[has.tan_v] - (j + 0.5) * dv
        row_x, row_y, row_z = (
            f32(view[has.forward] + v * view[has.up]),
            f32(view[has.forward + 1] + v * view[has.up + 1]),
            f32(view[has.forward + 2] + v * view[has.up + 2]),
        )
        lowest = min(row_z + left * rz, row_z - left * rz)
        seen = view[has.ground] != 0.0 and eye_z > f32(0.0) and -far * lowest >= eye_z
        if not seen:  # all of the row looks above the ground, or beyond what is seen
            for i in range(width):
                light[j, i], depth[j, i] = f32(sky), f32(np.inf)
            continue
        for i0 in range(0, width, SEGMENT):
            m = min(SEGMENT, width - i0)
            first, n, along = level_of(view, (i0 + 0.5) * du - view[has.tan_u], v, du, dv, lie[of.texel])
            last, n_last, _ = level_of(view, (i0 + m - 0.5) * du - view[has.tan_u], v, du, dv, lie[of.texel])
            n = max(n, n_last)
            k = min(int(min(first, last)), coarsest)
            blend, slope = f32(first - k), f32((last - first) / max(m - 1, 1))
            span = has.up if along else has.right
            size = dv if along else du
            ax, ay, az = f32(view[span] * size), f32(view[span + 1] * size), f32(view[span + 2] * size)
            part = f32(1.0 / n)
            for i in range(m):
                u = left + f32(i0 + i) * step
                dx, dy, dz = row_x + u * rx, row_y + u * ry, row_z + u * rz
                t = eye_z / max(-dz, eye_z / far)
                xs[i], ys[i] = ex + t * dx * wide, ey + t * dy * high
                tilt = az / min(dz, f32(-1e-9))
                bx[i], by[i] = t * (ax - dx * tilt) * wide * part, t * (ay - dy * tilt) * high * part
                share = min(max((blend + slope * f32(i) - f32(0.5)) * f32(BAND) + f32(0.5), f32(0.0)), f32(1.0))
                fine[i], coarse[i] = (f32(1.0) - share) * part, share * part
            here = light[j, i0 : i0 + m]
            here[:] = f32(0.0)
            for p in range(n):
                off = f32(p) - f32(0.5) * f32(n - 1)
                for i in range(m):
                    x, y = xs[i] + off * bx[i], ys[i] + off * by[i]
                    sx[i], sy[i] = x - np.floor(x) * wraps, y - np.floor(y) * wraps
                if fine[0] + fine[m - 1] > f32(0.0):
                    add_samples(here, fine, texels, levels[k], sx, sy, cx, cy, m)
                if coarse[0] + coarse[m - 1] > f32(0.0):
                    add_samples(here, coarse, texels, levels[min(k + 1, coarsest)], sx, sy, cx, cy, m)
            for i in range(m):
                dz = row_z + (left + f32(i0 + i) * step) * rz
                t = eye_z / max(-dz, eye_z / far)
                shown = -dz * far >= eye_z and t >= near
                here[i] = here[i] if shown else f32(sky)
                depth[j, i0 + i] = t if shown else f32(np.inf)
