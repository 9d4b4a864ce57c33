"""Turns by quaternions, against PyBullet's own matrices."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neuroloop_envs._turns import facing, heading_of, turned, turned_back

pybullet = pytest.importorskip("pybullet")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=7, max_size=7).filter(lambda v: sum(x * x for x in v[:4]) > 1e-3))
def test_vectors_turn_and_turn_back_as_by_the_rotation_matrix(values: list[float]) -> None:
    x, y, z, w = (np.array(values[:4]) / np.linalg.norm(values[:4])).tolist()
    turn, vector = (x, y, z, w), (values[4], values[5], values[6])
    matrix = np.array(pybullet.getMatrixFromQuaternion(turn)).reshape(3, 3)
    assert turned(vector, turn) == pytest.approx(matrix @ vector, abs=1e-9)
    assert turned_back(vector, turn) == pytest.approx(matrix.T @ vector, abs=1e-9)
    nose = matrix[:, 0]
    if math.hypot(nose[0], nose[1]) > 1e-3:
        expected = math.atan2(nose[1], nose[0])
        assert math.cos(heading_of(turn) - expected) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("heading", [-3.0, -0.4, 0.0, 1.2, 3.1])
def test_what_faces_a_heading_has_it(heading: float) -> None:
    assert heading_of(facing(heading)) == pytest.approx(heading)


def test_the_heading_of_what_is_pitched_and_rolled_is_where_its_nose_points() -> None:
    turn = pybullet.getQuaternionFromEuler((0.5, 0.4, 1.0))
    assert heading_of(turn) == pytest.approx(1.0)
    assert 2.0 * math.atan2(turn[2], turn[3]) != pytest.approx(1.0, abs=0.05)  # what holds on level ground alone
