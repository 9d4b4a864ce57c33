"""The road of the lane-keeping literature: its laps, and where points lie on it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neuroloop_envs._track import ASPHALT, HALF_WIDTH, LANES, PAINT, ROAD, ground

OFFSETS = st.floats(-0.7, 0.7)
ALONG = st.floats(0.0, ROAD.length, exclude_max=True)


def test_laps_have_the_published_lengths() -> None:
    assert ROAD.lap(LANES["outer"]) == pytest.approx(31.99, abs=0.005)
    assert ROAD.lap(LANES["inner"]) == pytest.approx(28.85, abs=0.005)


@pytest.mark.parametrize("lane", LANES)
def test_the_length_of_a_lap_is_that_of_the_line_it_follows(lane: str) -> None:
    offset = LANES[lane]
    points = np.array([ROAD.at(along, offset)[:2] for along in np.linspace(0.0, ROAD.length, 4001)])
    assert np.hypot(*np.diff(points, axis=0).T).sum() == pytest.approx(ROAD.lap(offset), abs=1e-3)
    assert points[0] == pytest.approx(points[-1], abs=1e-9)  # it closes


@settings(deadline=None)  # the first call compiles
@given(along=ALONG, offset=OFFSETS)
def test_a_point_is_found_where_it_was_put(along: float, offset: float) -> None:
    x, y, heading = ROAD.at(along, offset)
    place = ROAD.locate(x, y)
    assert place.offset == pytest.approx(offset, abs=1e-9)
    assert math.remainder(place.along - along, ROAD.length) == pytest.approx(0.0, abs=1e-9)
    assert math.remainder(place.heading - heading, 2.0 * math.pi) == pytest.approx(0.0, abs=1e-9)


@settings(deadline=None)  # the first call compiles
@given(along=ALONG, offset=OFFSETS, way=st.floats(-math.pi, math.pi))
def test_a_small_step_changes_little(along: float, offset: float, way: float) -> None:
    x, y, _ = ROAD.at(along, offset)
    here, there = ROAD.locate(x, y), ROAD.locate(x + 1e-4 * math.cos(way), y + 1e-4 * math.sin(way))
    assert abs(there.offset - here.offset) < 1.01e-4
    # The middle line is 1 / (1 - k d) times as long as a line d beside it: here at most 1.7 times, where k = 1/2 and d = 0.7.
    assert abs(math.remainder(there.along - here.along, ROAD.length)) < 2e-4
    assert abs(math.remainder(there.heading - here.heading, 2.0 * math.pi)) < 1e-4


def test_curvature_is_how_fast_the_heading_turns() -> None:
    alongs = np.linspace(0.0, ROAD.length, 400, endpoint=False)
    places = [ROAD.locate(*ROAD.at(along, 0.1)[:2]) for along in alongs]
    turned = sum(place.curvature for place in places) * ROAD.length / len(places)
    assert turned == pytest.approx(2.0 * math.pi, rel=0.02)  # once around
    assert {round(place.curvature, 6) for place in places} == {0.0, 0.5, round(-1 / 3, 6)}


def test_lines_are_painted_where_the_road_says() -> None:
    painted = ground(0, texture=0.0)

    def light(along: float, offset: float) -> float:
        x, y, _ = ROAD.at(along, offset)
        column, row = int((x - painted.x0) / painted.texel), int((y - painted.y0) / painted.texel)
        return float(painted.luminance[row, column])

    for along in np.arange(0.125, ROAD.length - 0.5, 0.5):
        assert light(along, 0.0) == pytest.approx(PAINT)  # a dash
        assert light(along + 0.25, 0.0) == pytest.approx(ASPHALT)  # and none
        for side in (-1.0, 1.0):
            assert light(along, side * HALF_WIDTH) == pytest.approx(PAINT)
            assert light(along, side * 0.25) == pytest.approx(ASPHALT)
            assert ASPHALT < light(along, side * 0.6) < PAINT


def test_texture_follows_its_seed_and_is_as_strong_as_asked() -> None:
    bare, one, again, other = ground(0, 0.0), ground(1, 0.06), ground(1, 0.06), ground(2, 0.06)
    assert np.array_equal(one.luminance, again.luminance)
    assert not np.array_equal(one.luminance, other.luminance)
    ratio = one.luminance / bare.luminance
    assert ratio.mean() == pytest.approx(1.0, abs=0.01)
    assert ratio.std() == pytest.approx(0.06, rel=0.05)
