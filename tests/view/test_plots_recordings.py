"""Rasters, signals, trajectories and timing: what is drawn are the numbers that were recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroloop import Recording
from neuroloop.errors import BadInput
from neuroloop.loop.timing import Timing
from neuroloop.view.plots import plot_raster, plot_signals, plot_timing, plot_trajectory
from neuroloop.view.plots.reading import read
from neuroloop.view.plots.turns import fired_of

PERIOD = 0.02  # s, of CartPole


def panels(figure: Any) -> dict[str, Any]:
    return {axes.get_ylabel().replace("\n", " "): axes for axes in figure.axes}


def points(axes: Any, n: int = 0) -> np.ndarray:
    return np.asarray(axes.get_lines()[n].get_xydata())


def test_a_raster_of_arrays_has_a_mark_at_every_spike() -> None:
    figure = plot_raster({"a": ([0.1, 0.2, 0.2], [3, 0, 5]), "b": ([0.15], [1])})
    np.testing.assert_allclose(points(panels(figure)["a neuron"]), [[0.1, 3], [0.2, 0], [0.2, 5]])
    np.testing.assert_allclose(points(panels(figure)["b neuron"]), [[0.15, 1]])


def test_few_of_many_cells_are_numbered_by_when_they_first_fire() -> None:
    figure = plot_raster({"cells": ([0.0, 0.1, 0.2, 0.3], [90_000, 7, 90_000, 4_000])})
    np.testing.assert_allclose(points(figure.axes[0])[:, 1], [0, 1, 0, 2])
    assert "3 cells as they appear" in " ".join(panels(figure))


def test_a_raster_of_a_recording_shows_the_spikes_of_its_window_at_their_steps(run: Any) -> None:
    figure = plot_raster(run.recording, first=10, last=14, only=["critic", "encoder"])
    rows = [row for row in Recording(run.recording).ticks() if 10 <= row.tick.tick < 14]
    fired = [
        (row.tick.tick * PERIOD + step * PERIOD / 20, neuron)
        for row in rows
        for step in range(20)
        for neuron, word in enumerate(row.spikes["critic"][0].tolist())
        if word >> step & 1
    ]
    assert len(fired) > 100
    np.testing.assert_allclose(points(panels(figure)["critic neuron"]), fired)
    cells = points(figure.axes[1])
    assert len(cells) == 4 * 64
    np.testing.assert_allclose(np.unique(cells[:, 0]), PERIOD * np.arange(10, 14))


def test_bits_of_more_than_one_word_are_later_steps() -> None:
    words = np.zeros((2, 3), np.int32)
    words[0, 1], words[0, 2], words[1, 0] = 1 | 1 << 5, -(2**31), 1 << 2
    assert fired_of(words).tolist() == [[0, 1], [5, 1], [31, 2], [34, 0]]


def test_signals_are_the_numbers_of_the_recording(run: Any) -> None:
    recording = Recording(run.recording)
    drawn = panels(plot_signals(recording, "td_error", "reward", first=20, last=120))
    window = slice(20, 120)
    np.testing.assert_allclose(points(drawn["TD error"], 1)[:, 1], recording.column("td_error")[window])
    np.testing.assert_allclose(points(drawn["TD error"], 1)[:, 0], PERIOD * np.arange(20, 120))
    np.testing.assert_allclose(points(drawn["reward"], 1)[:, 1], recording.column("reward")[window])


def test_every_signal_of_td_learning_is_shown_by_default(run: Any) -> None:
    names = ["reward", "value", "TD error", "neuromodulator (critic)", "neuromodulator (others)"]
    assert list(panels(plot_signals(run.recording))) == names


def test_a_trajectory_is_named_has_units_and_gaps_between_episodes(run: Any) -> None:
    drawn = panels(plot_trajectory(run.recording))
    assert list(drawn) == ["cart position (m)", "cart velocity (m/s)", "pole angle (rad)", "pole velocity (rad/s)"]
    line = points(drawn["pole angle (rad)"])
    gaps = np.isnan(line[:, 1])
    rows = list(Recording(run.recording).ticks())
    assert gaps.sum() == sum(row.tick.first for row in rows) > 3
    np.testing.assert_allclose(line[~gaps, 1], [row.tick.observation[2] for row in rows], rtol=1e-6)
    np.testing.assert_allclose(line[~gaps, 0], PERIOD * np.arange(len(rows)))


def test_two_dimensions_against_each_other_are_a_line_an_episode(run: Any) -> None:
    figure = plot_trajectory(run.recording, "cart position", "pole angle", against=True, last=100)
    turns = read(run.recording, 0, 100, "observation")
    table = turns.observed()[0]
    curves = [np.asarray(line.get_xydata()) for line in figure.axes[0].get_lines() if line.get_marker() == "None"]
    assert len(curves) == turns.first.sum()
    np.testing.assert_allclose(np.concatenate(curves), table[:, [0, 2]])


def test_timing_counts_every_control_step_and_marks_percentiles() -> None:
    timing, rng = Timing(), np.random.default_rng(2)
    late = rng.lognormal(10.0, 1.5, 500).astype(int)
    for n, ns in enumerate(late.tolist()):
        timing.note(n * 10_000_000, ns, 0, 2 * ns, 10_000_000 + n)
    figure = plot_timing(timing)
    counts = {axes.get_xlabel(): sum(bar.get_height() for bar in axes.patches) for axes in figure.axes}
    assert counts == {
        "late by (µs)": 500, "period (µs)": 499, "computing (µs)": 500, "age of what was observed (µs)": 500,
    }  # fmt: skip
    marks = [line.get_xdata()[0] for line in figure.axes[0].get_lines()]
    np.testing.assert_allclose(marks, np.percentile(late / 1e3, [50, 99, 99.9]))
    assert [axes.get_xscale() for axes in figure.axes] == ["log", "linear", "log", "linear"]


def test_timing_of_a_recording_is_that_of_its_run(paced: Path) -> None:
    figure = plot_timing(paced)
    late = Recording(paced).column("late")
    assert sum(bar.get_height() for bar in figure.axes[0].patches) == late.size == 60
    assert figure.axes[0].get_lines()[0].get_xdata()[0] == pytest.approx(max(np.median(late) / 1e3, 0.1))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda run: plot_raster(run.recording, only=["critik"]), "did you mean 'critic'"),
        (lambda run: plot_raster(run.recording, first=5000), "no control step from 5000 to 5050 is recorded"),
        (lambda run: plot_raster(run.recording, first=5, last=5), "last: must be at least 6"),
        (lambda run: plot_raster({"a": ([0.1], [1, 2])}), "two lists of one length"),
        (lambda run: plot_raster({"a": ([], [])}), "there are none"),
        (lambda run: plot_signals(run.recording, "td_eror"), "did you mean 'td_error'"),
        (lambda run: plot_signals({"a": [1.0], "b": [1.0, 2.0]}), "of one length, got 1, 2"),
        (lambda run: plot_trajectory(run.recording, "pole angel"), "did you mean 'pole angle'"),
        (lambda run: plot_trajectory(run.recording, against=True), "two dimensions against each other, got 4"),
        (lambda run: plot_trajectory(np.zeros((2, 2, 2))), "of shape"),
        (lambda run: plot_timing(run.recording), "only a run in real time"),
        (lambda run: plot_timing({"lateness": [1]}), "expected some of late, period, compute, age"),
        (lambda run: plot_signals(7), "expected a recording"),
        (lambda run: plot_raster("nowhere.mcap"), "no such file"),
    ],
)
def test_what_cannot_be_shown_is_said(call: Any, words: str, run: Any) -> None:
    with pytest.raises(BadInput, match=words):
        call(run)


def test_a_recording_that_is_cut_off_is_shown_as_far_as_it_can_be_read(run: Any, tmp_path: Path) -> None:
    whole, cut = run.recording.read_bytes(), tmp_path / "cut.mcap"
    cut.write_bytes(whole[: len(whole) - 60_000])
    figure = plot_signals(cut, "value")
    n = len(points(figure.axes[0], 1))
    assert 0 < n < 400
    np.testing.assert_allclose(points(figure.axes[0], 1)[:, 1], Recording(run.recording).column("value")[:n])
