"""Learning curves: what is drawn are the numbers of the runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroloop import checkpoint
from neuroloop.errors import BadInput
from neuroloop.evaluation.curves import means_of
from neuroloop.loop.lockstep import Progress
from neuroloop.view.plots import plot_learning_curve
from neuroloop.view.plots.learning import band_of, middle_of
from neuroloop.view.plots.runs import Episodes, runs_of


def lines(figure: Any) -> dict[str, Any]:
    return {line.get_label(): line for line in figure.axes[0].get_lines()}


def level(value: float, name: str = "a", n: int = 30) -> Episodes:
    return Episodes([value] * n, [10] * n, name)


def test_one_run_is_shown_with_every_return_its_running_mean_and_the_criterion() -> None:
    progress = Progress(200.0)
    progress.returns, progress.lengths = [float(n % 37) for n in range(250)], [3 + n % 5 for n in range(250)]
    drawn = lines(plot_learning_curve(progress))
    steps = np.cumsum(progress.lengths)
    np.testing.assert_array_equal(drawn["episode"].get_xydata(), np.stack([steps, progress.returns], axis=1))
    np.testing.assert_allclose(drawn["mean of last 100"].get_ydata(), means_of(progress.returns))
    assert set(drawn["criterion 200"].get_ydata()) == {200.0}


def test_the_band_of_one_run_spans_ten_to_ninety_percent_of_the_last_hundred_returns() -> None:
    returns = np.random.default_rng(1).normal(size=500)
    at, low, high = band_of(returns.tolist())
    assert at[0] == 0
    assert at[-1] == 499
    last = returns[400:]
    assert low[-1] == pytest.approx(np.percentile(last, 10))
    assert high[-1] == pytest.approx(np.percentile(last, 90))
    assert low[0] == high[0] == returns[0]


def test_several_runs_are_shown_by_their_interquartile_mean_and_its_interval() -> None:
    found = middle_of([level(value) for value in (1.0, 2.0, 3.0, 100.0)], "iqm")
    np.testing.assert_allclose(found.middle, 2.5)
    assert (found.low >= 1.0).all()
    assert (found.low < 2.5).all()
    assert (found.high > 2.5).all()
    mean = middle_of([level(value) for value in (1.0, 2.0, 3.0, 100.0)], "mean")
    np.testing.assert_allclose(mean.middle, 26.5)


def test_a_run_that_ended_early_counts_with_its_last_mean() -> None:
    found = middle_of([level(1.0, n=10), level(3.0, n=100)], "mean")
    assert found.steps[-1] == 1000.0
    np.testing.assert_allclose(found.middle, 2.0)


def test_one_run_alone_has_no_interval() -> None:
    assert np.isnan(middle_of([level(1.0)], "iqm").low).all()


def test_every_agent_has_a_colour_and_a_line() -> None:
    figure = plot_learning_curve([level(1.0), level(2.0), level(5.0, "b")])
    drawn = lines(figure)
    first, second = drawn["a: interquartile mean of 2 runs"], drawn["b"]
    assert first.get_color() != second.get_color()
    np.testing.assert_allclose(first.get_ydata(), 1.5)
    np.testing.assert_allclose(second.get_ydata(), 5.0)


def test_checkpoints_say_their_returns_agent_and_criterion(run: Any) -> None:
    saved = checkpoint.read(run.late).arrays
    drawn = lines(plot_learning_curve(run.late))
    np.testing.assert_array_equal(drawn["episode"].get_ydata(), saved["returns"])
    np.testing.assert_array_equal(drawn["episode"].get_xdata(), np.cumsum(saved["lengths"]))
    assert "criterion 475" in drawn


def test_a_recording_says_the_same_returns_as_the_checkpoint_of_its_run(run: Any) -> None:
    saved, recorded = lines(plot_learning_curve(run.late)), lines(plot_learning_curve(run.recording))
    np.testing.assert_allclose(recorded["episode"].get_xydata(), saved["episode"].get_xydata())


def test_a_folder_of_runs_is_all_of_them(run: Any, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "checkpoint.zip").write_bytes(run.late.read_bytes())
    assert len(runs_of(tmp_path)) == 2
    assert "cartpole: interquartile mean of 2 runs" in lines(plot_learning_curve(tmp_path))


def test_several_folders_of_runs_are_told_apart_by_their_names(run: Any, tmp_path: Path) -> None:
    for name in ("base/1", "base/2", "tuned/1"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "checkpoint.zip").write_bytes(run.late.read_bytes())
    drawn = lines(plot_learning_curve([tmp_path / "base", str(tmp_path / "tuned")]))
    assert {"base: interquartile mean of 2 runs", "tuned"} <= set(drawn)


@pytest.mark.parametrize(
    ("runs", "options", "words"),
    [
        (Episodes([], []), {}, "an episode that ended"),
        (level(1.0), {"statistic": "iqr"}, "did you mean 'iqm'"),
        (level(1.0), {"width": "three"}, "unknown width 'three'"),
        (7, {}, "expected checkpoints, folders"),
        ("nowhere.zip", {}, "no such file"),
    ],
)
def test_what_cannot_be_shown_is_said(runs: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(BadInput, match=words):
        plot_learning_curve(runs, **options)


def test_a_folder_without_runs_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no run"):
        plot_learning_curve(tmp_path)
