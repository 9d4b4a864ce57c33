"""The suite `sensors` measures what it says, and compares time stamps as it says."""

from __future__ import annotations

import numpy as np
import pytest

from neuroloop.evaluation import sensor_cases as cases
from neuroloop.evaluation.suites import sensors
from neuroloop.evaluation.suites.proprioception import CASES, figure_of


def test_scenes_have_their_sizes_and_a_lap_ends_where_it_began() -> None:
    for case in cases.SPEEDS:
        frames = cases.frames_of(case)
        assert len(frames) == cases.LAP
        assert all(frame.shape == cases.SIZES[case.partition("_")[0]][::-1] for frame in frames)
    first, second, *_, last = cases.frames_of("128_dense")
    assert np.array_equal(first[:, 3:], second[:, :-3])
    assert np.array_equal(last[:, 3:], first[:, :-3])
    static, moved = cases.frames_of("346_static"), cases.frames_of("346_sparse")
    assert np.array_equal(static[0], static[-1])
    assert 0 < np.mean(moved[0] != moved[1]) < 0.01
    assert set(sensors.SPEEDS) == set(cases.SPEEDS)


def test_the_dense_scene_makes_half_of_the_pixels_fire_in_a_frame() -> None:
    _, each = sensors.frames_per_s("128_dense", quick=True)
    assert 0.3 < each / 128**2 < 1.0


def test_time_shown_to_a_camera_only_rises() -> None:
    seen: list[tuple[int, int]] = []
    tick = cases.ticker(
        lambda frame, t_us: seen.append((int(frame[0, 0]), t_us)), [np.full((1, 1), k) for k in range(60)]
    )
    for k in (0, 1, 0, 5):
        tick(k)
    assert seen == [(1, 1000), (2, 2000), (3, 3000), (4, 4000)]


def test_errors_of_time_stamps_pair_each_pixels_events_while_polarities_agree() -> None:
    wanted = np.array([[10, 20, 30, 40, 50], [1, 2, 1, 1, 9], [0, 0, 0, 0, 9], [1, 1, 1, 0, 1]])
    found = np.array([[11, 23, 28, 44, 46, 60], [1, 2, 1, 1, 1, 3], [0, 0, 0, 0, 0, 3], [1, 1, 1, 1, 0, 1]])
    assert sorted(cases.stamp_errors(found, wanted)) == [-2, 1, 3]


@pytest.mark.parametrize("as_bytes", [True, False])
def test_time_stamps_of_coarse_frames_are_those_of_fine_ones_within_the_target(as_bytes: bool) -> None:
    errors = sensors.stamp_errors(as_bytes)
    assert errors.size > 20_000
    assert np.median(np.abs(errors)) <= (500 if as_bytes else 100)
    assert abs(errors.mean()) < 100  # no bias


def test_a_bench_in_short_has_every_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sensors, "frames_per_s", lambda case, quick: ([1.0, 2.0], 3.0))
    monkeypatch.setattr(sensors, "events_per_s", lambda quick: [5e7])
    suite = sensors.run(True, False, lambda text: None)
    assert [figure.name for figure in suite.figures] == [
        *(f"dvs_{case}_fps" for case in cases.SPEEDS),
        "dvs_events_per_s", *map(figure_of, CASES), "dvs_timestamp_error_us", "dvs_timestamp_error_float_us",
    ]  # fmt: skip
    assert suite.figures[0].value == 2.0
    assert suite.figures[0].met is False
    assert suite.figures[-1].met


def test_beside_a_peer_frames_and_events_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    line = {"value": 0.5, "n": 3, "note": "12 events a frame"}
    monkeypatch.setattr(sensors, "frames_per_s", lambda case, quick: ([1.0, 2.0], 3.0))
    monkeypatch.setattr(sensors, "events_per_s", lambda quick: [5e7])
    monkeypatch.setattr(sensors, "run_peer", lambda peer, name, quick, report: line)
    figures = {figure.name: figure.value for figure in sensors.run(True, True, lambda text: None).figures}
    assert figures["dvs_346_dense_fps_vs_v2e"] == 4.0
    assert figures["dvs_346_dense_fps_per_event_vs_v2e"] == 1.0
    assert "dvs_1280_static_fps_per_event_vs_v2e" not in figures
