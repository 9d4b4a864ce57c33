"""What a range finder in a corridor measures, and how far a rover is from touching anything: by geometry, compiled.

A ray from o along d meets a circle of radius r around p at t = b - sqrt(b² - (|q|² - r²)) with q = p - o and b = q · d.
"""

import math

from neuroloop._numba import compiled


@compiled
def scan(x, y, c, s, ahead, fan, reach, half, end, pillars, chassis, wheels, ranges):  # type: ignore[no-untyped-def]
    """Fill `ranges` with the least distance in each sector; returns how far the rover's outline is from anything.

    x, y, c, s: the rover's middle and the cosine and sine of its heading; `ahead`: of the range finder before it. `fan`:
    (sectors x rays, 2), cosines and sines of the rays' angles. Walls at y = +-half and x = end; pillars (n, 3).
    Outline: two rectangles, of half lengths and widths `chassis` and `wheels`. Negative: something is inside.
    """
    ox, oy = x + ahead * c, y + ahead * s
    each = fan.shape[0] // ranges.shape[0]
    for k in range(ranges.shape[0]):
        least = reach
        for i in range(k * each, (k + 1) * each):
            dx, dy = c * fan[i, 0] - s * fan[i, 1], s * fan[i, 0] + c * fan[i, 1]
            if dy > 1e-12:
                least = min(least, (half - oy) / dy)
            elif dy < -1e-12:
                least = min(least, (-half - oy) / dy)
            if dx < -1e-12:
                least = min(least, (end - ox) / dx)
            for j in range(pillars.shape[0]):
                qx, qy, r = pillars[j, 0] - ox, pillars[j, 1] - oy, pillars[j, 2]
                b = qx * dx + qy * dy
                if b > 0.0:
                    square = b * b - qx * qx - qy * qy + r * r
                    if square >= 0.0:
                        least = min(least, b - math.sqrt(square))
        ranges[k] = max(least, 0.0)
    clear = math.inf
    for a, b in (chassis, wheels):
        clear = min(clear, half - abs(y) - a * abs(s) - b * abs(c), x - a * abs(c) - b * abs(s) - end)
        for j in range(pillars.shape[0]):
            qx, qy = pillars[j, 0] - x, pillars[j, 1] - y
            beyond_x, beyond_y = abs(qx * c + qy * s) - a, abs(qy * c - qx * s) - b
            beside = beyond_x <= 0.0 or beyond_y <= 0.0
            distance = max(beyond_x, beyond_y) if beside else math.hypot(beyond_x, beyond_y)
            clear = min(clear, distance - pillars[j, 2])
    return clear
