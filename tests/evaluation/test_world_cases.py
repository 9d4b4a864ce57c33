"""What is measured of the ray-casting camera is a camera that sees what PyBullet's renderer sees."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pybullet")

from neuroloop.evaluation import world_cases as cases


def test_both_cameras_are_measured_on_the_same_picture() -> None:
    with cases._client() as bullet:
        scene = cases.raycast_scene(bullet)
        ours, theirs = (np.asarray(cases._looking(scene, camera)(7)) for camera in ("RayCamera", "TinyCamera"))
        assert ours.shape == theirs.shape == (cases.SIDE, cases.SIDE)
        assert len(scene.shapes) == 11
        assert np.median(np.abs(ours - theirs)[:20]) < 0.03  # the sky; the ground's noise they do not average
    assert bullet.closed


def test_figures_are_medians_of_both() -> None:
    us, ratios = cases.raycast_128_us(quick=True), cases.raycast_over_tinyrenderer(quick=True)
    assert len(us) == len(ratios) == 5
    assert 10.0 < min(us) < 5000.0
    assert min(ratios) > 2.0  # the machine may be busy; the suite holds the target
