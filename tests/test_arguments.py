"""What the Python interface refuses: the argument, what was expected and what came."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import neuroloop
from neuroloop.errors import BadInput


@pytest.fixture(scope="module")
def agent() -> neuroloop.Agent:
    return neuroloop.load_agent("random", "CartPole-v1")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"total_steps": -5}, "total_steps: must be at least 0, got -5"),
        ({"total_steps": "x"}, "total_steps: must be a whole number, got 'x'"),
        ({"total_steps": 1e3}, "total_steps: must be a whole number, got 1000.0"),
        ({"total_steps": 100, "episodes": -1}, "episodes: must be at least 1, got -1"),
        ({"total_steps": 100, "episodes": "3"}, "episodes: must be a whole number, got '3'"),
        ({"total_steps": 100, "callback": True}, "callback: must be a function, got True"),
    ],
)
def test_learning_refuses_what_it_cannot_do(agent: neuroloop.Agent, arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=f"^{says}$"):
        agent.learn(**arguments)
    with pytest.raises(BadInput, match=f"^{says}$"):
        neuroloop.VectorAgent([agent]).learn(**arguments)
    assert agent.progress.steps == 0


@pytest.mark.parametrize("name", ["a.pt", "a", "a.zip.bak"])
def test_the_name_of_a_checkpoint_ends_as_on_the_command_line(
    agent: neuroloop.Agent, name: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=r"^path: the name of a checkpoint ends in \.zip, got .*a"):
        agent.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_path_is_refused(agent: neuroloop.Agent) -> None:
    with pytest.raises(BadInput, match=r"^path: must be a path, got 5$"):
        agent.save(5)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ("learner.gamma=0.9", r"overrides: must be a list of settings, .*, got \'learner\.gamma=0\.9\'"),
        (0.9, "overrides: must be a list of settings, .*, got 0.9"),
        ([("learner.gamma", 0.9)], "overrides: a setting is text, .*, got"),
    ],
)
def test_overrides_are_a_list_of_settings(overrides: Any, says: str) -> None:
    with pytest.raises(BadInput, match=f"^{says}"):
        neuroloop.load_agent("cartpole", overrides=overrides)
