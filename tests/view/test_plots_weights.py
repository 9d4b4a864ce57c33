"""Weights: their distribution, and what learning changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import neuroloop
from neuroloop import checkpoint
from neuroloop.errors import BadInput
from neuroloop.view.plots import plot_weights
from neuroloop.view.plots.learned import merged, start_of, weights_of


def maps(figure: Any) -> list[np.ndarray]:
    return [np.asarray(axes.images[0].get_array()) for axes in figure.axes if axes.images]


def test_the_map_shows_what_was_added_and_the_histogram_every_weight() -> None:
    before, after = np.zeros((3, 2)), np.array([[1.0, 0.0], [0.0, -2.0], [0.5, 0.0]])
    figure = plot_weights({"policy": after}, {"policy": before})
    np.testing.assert_allclose(maps(figure)[0], after.T)
    labels = [axes.get_ylabel() for axes in figure.axes]
    assert labels == ["synapses", "to neuron", "change of weight"]
    counted = [bar.get_height() for bar in figure.axes[0].patches if bar.get_label() != "after"]
    assert sum(counted[:60]) == before.size


def test_two_checkpoints_are_compared_in_the_cells_that_both_know(run: Any) -> None:
    figure = plot_weights(run.late, run.early)
    names = [axes.get_title(loc="left") for axes in figure.axes if axes.get_title(loc="left")]
    assert names == ["policy", "value"]
    early, late = (
        checkpoint.read(path).arrays["controller/projection.policy.weights"] for path in (run.early, run.late)
    )
    assert len(early) < len(late)
    np.testing.assert_allclose(maps(figure)[0], (late[: len(early)] - early).T, atol=1e-6)
    assert np.abs(maps(figure)[0]).max() > 0.0


def test_where_there_were_no_weights_before_the_map_shows_weights(run: Any) -> None:
    figure = plot_weights(run.early)
    early = checkpoint.read(run.early).arrays["controller/projection.policy.weights"]
    assert len(early) <= 1200  # else the map holds means of neighbours
    np.testing.assert_allclose(maps(figure)[0], early.T, atol=1e-6)
    assert figure.axes[1].get_xlabel() == "from cell, in the order of first firing"


def test_a_recording_holds_the_weights_that_its_run_began_with(run: Any) -> None:
    began = weights_of(run.recording)
    assert {name: table.weights.shape for name, table in began.items()} == {"policy": (0, 16), "value": (0, 100)}


def test_a_checkpoint_is_compared_with_what_its_agent_began_with(tmp_path: Any) -> None:
    agent = neuroloop.load_agent("e-prop", seed=2)
    began = weights_of(agent)
    agent.learn(60)
    saved, learned = agent.save(tmp_path / "checkpoint.zip"), weights_of(agent)
    assert not np.array_equal(began["in"].weights, learned["in"].weights)
    np.testing.assert_array_equal(start_of(saved)["in"].weights, began["in"].weights)
    figure = plot_weights(saved)
    np.testing.assert_allclose(maps(figure)[0], (learned["in"].weights - began["in"].weights).T, atol=1e-6)


def test_parts_of_one_projection_lie_side_by_side_in_their_order() -> None:
    parts = weights_of({f"gait[{n}]": np.full((2, 1), float(n)) for n in (10, 2, 0)})
    assert merged(parts)["gait"].weights.tolist() == [[0.0, 2.0, 10.0]] * 2
    unlike = weights_of({"a[0]": np.zeros((2, 1)), "a[1]": np.zeros((3, 1))})
    assert list(merged(unlike)) == ["a[0]", "a[1]"]


def test_many_rows_are_shown_by_means_of_neighbours() -> None:
    rows = np.arange(4800, dtype=float)[:, None]
    shown = maps(plot_weights({"a": rows}))[0]
    assert shown.shape == (1, 1200)
    np.testing.assert_allclose(shown[0, :2], [1.5, 5.5])


@pytest.mark.parametrize(
    ("after", "before", "words"),
    [
        ({}, None, "holds no weights"),
        ({"a": np.zeros((2, 3))}, {"a": np.zeros((2, 4))}, "cannot have become"),
        ({"a": np.zeros((2, 3))}, {"a": np.zeros((5, 3))}, "cannot have become"),
        ({"a": np.zeros((2, 3, 4))}, None, "of shape"),
        ("nowhere.zip", None, "no such file"),
    ],
)
def test_what_cannot_be_shown_is_said(after: Any, before: Any, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        plot_weights(after, before)
