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
SEGMENT = 64  # columns that share their copies of the picture
MOST = 4  # samples of a pixel
STRETCH = 0.25  # by which a sample may be longer than it is wide
BAND = 5.0  # copies are blended over 1 / BAND of the way from one to the next
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
    ax, ay = view[has.right] - dx * tilt_a, view[has.right + 1] - dy * tilt_a
    bx, by = view[has.up] - dx * tilt_b, view[has.up + 1] - dy * tilt_b
    a, b = t * du * math.sqrt(ax * ax + ay * ay), t * dv * math.sqrt(bx * bx + by * by)
    long, short = max(a, b), min(a, b)
    n = 1
    while n < MOST and long > (n + STRETCH) * short:
        n += 1
    size = max(short, long / n)
    return math.log2(max(SHARPER * size / texel, 1.0)), n, b >= a


@inline
def trace(x, across, t, n, first, step, of_forward, of_right, eye, of_span, tilt):  # type: ignore[no-untyped-def]
    """Where rays of depth `t` meet the ground along one axis, and how far a sample is from the next."""
    for i in range(n):
        d = of_forward + (first + f32(i) * step) * of_right
        x[i] = eye + t[i] * d
        across[i] = t[i] * (of_span + d * t[i] * tilt)


@inline
def shift(rest, place, x, across, times, wraps, texels, stride, n):  # type: ignore[no-untyped-def]
    """Along one axis: how far a sample is from the texel before it; that texel's number times `stride` is added to `place`."""
    last = texels + f32(0.999)
    for i in range(n):
        at = x[i] + times * across[i]
        at -= np.floor(at) * wraps
        at = min(max(at * texels + f32(0.5), f32(0.0)), last)  # from the middle of the first texel, that of the frame
        whole = np.int32(at)
        rest[i] = at - f32(whole)
        place[i] += whole * stride


@inline
def add_samples(out, weight, texels, place, stride, fx, fy, n):  # type: ignore[no-untyped-def]
    """Add bilinear light. Unsigned numbers cost no test of the sign."""
    one, below = np.uint64(1), np.uint64(stride)
    for i in range(n):
        first = np.uint64(place[i])
        second = first + below
        upper = texels[first] + fx[i] * (texels[first + one] - texels[first])
        lower = texels[second] + fx[i] * (texels[second + one] - texels[second])
        out[i] += weight[i] * (upper + fy[i] * (lower - upper))


@compiled_for(
    types.void(FRAME, FRAME, NUMBERS, TEXELS, types.int64[:, ::1], NUMBERS, types.float64, FRAME, types.int32[::1])
)
def see_ground(light, depth, view, texels, levels, lie, sky, scratch, place):  # type: ignore[no-untyped-def]
    """Fill `light`, and `depth` in m: infinite where there is only sky.

    `scratch`: float32[8, SEGMENT], `place`: int32[SEGMENT]. Loops are split so that each writes to two arrays at most: then
    LLVM sees that many pixels can be done at once.
    """
    height, width = light.shape
    du, dv = 2.0 * view[has.tan_u] / width, 2.0 * view[has.tan_v] / height
    eye_z, near, far = f32(view[has.eye + 2]), f32(view[has.near]), f32(view[has.far])
    wide, high, wraps = 1.0 / lie[of.width], 1.0 / lie[of.height], f32(lie[of.tiled])
    ex, ey = f32((view[has.eye] - lie[of.x0]) * wide), f32((view[has.eye + 1] - lie[of.y0]) * high)
    rx, ry, rz = f32(view[has.right] * wide), f32(view[has.right + 1] * high), f32(view[has.right + 2])
    step, left, nothing = f32(du), f32(0.5 * du - view[has.tan_u]), f32(sky)
    coarsest = levels.shape[0] - 1
    xs, ys, bx, by, sx, sy, fine, coarse = (
        scratch[0], scratch[1], scratch[2], scratch[3], scratch[4], scratch[5], scratch[6], scratch[7]
    )  # fmt: skip
    for j in range(height):
        v = view[has.tan_v] - (j + 0.5) * dv
        row_x = f32((view[has.forward] + v * view[has.up]) * wide)
        row_y = f32((view[has.forward + 1] + v * view[has.up + 1]) * high)
        row_z = f32(view[has.forward + 2] + v * view[has.up + 2])
        lowest = min(row_z + left * rz, row_z - left * rz)
        if view[has.ground] == 0.0 or eye_z <= f32(0.0) or -far * lowest < eye_z:
            for i in range(width):  # all of the row looks above the ground, or beyond what is seen
                light[j, i], depth[j, i] = nothing, f32(np.inf)
            continue
        last, n_last, last_along = level_of(view, -view[has.tan_u], v, du, dv, lie[of.texel])
        for i0 in range(0, width, SEGMENT):
            m = min(SEGMENT, width - i0)
            first, n, along = last, n_last, last_along
            last, n_last, last_along = level_of(view, (i0 + m) * du - view[has.tan_u], v, du, dv, lie[of.texel])
            n = max(n, n_last)
            part, u = f32(1.0 / n), left + f32(i0) * step
            span, size = (has.up, dv / n) if along else (has.right, du / n)
            here, t = light[j, i0 : i0 + m], depth[j, i0 : i0 + m]
            for i in range(m):
                t[i] = eye_z / max(-row_z - (u + f32(i) * step) * rz, eye_z / far)
                here[i] = f32(0.0)
            tilt = f32(view[span + 2] * size / view[has.eye + 2])
            trace(xs, bx, t, m, u, step, row_x, rx, ex, f32(view[span] * size * wide), tilt)
            trace(ys, by, t, m, u, step, row_y, ry, ey, f32(view[span + 1] * size * high), tilt)
            k = min(int(min(first, last)), coarsest)
            blend, slope = f32(first - k), f32((last - first) / m)
            if k == coarsest:  # there is none to blend with
                blend = slope = f32(0.0)
            for i in range(m):
                share = min(max((blend + slope * f32(i) - f32(0.5)) * f32(BAND) + f32(0.5), f32(0.0)), f32(1.0))
                fine[i], coarse[i] = (f32(1.0) - share) * part, share * part
            for level in range(k, min(k + 1, coarsest) + 1):
                weight = fine if level == k else coarse
                if weight[0] + weight[m - 1] <= f32(0.0):
                    continue
                columns, rows = f32(levels[level, 1]), f32(levels[level, 2])
                begin, stride, one = np.int32(levels[level, 0]), np.int32(levels[level, 1] + 2), np.int32(1)
                for p in range(n):
                    times = f32(p) - f32(0.5) * f32(n - 1)
                    place[:m] = begin
                    shift(sx, place, xs, bx, times, wraps, columns, one, m)
                    shift(sy, place, ys, by, times, wraps, rows, stride, m)
                    add_samples(here, weight, texels, place, stride, sx, sy, m)
            for i in range(m):
                shown = t[i] < far and t[i] >= near
                here[i] = min(here[i], f32(1.0)) if shown else nothing  # sums round
                t[i] = t[i] if shown else f32(np.inf)
