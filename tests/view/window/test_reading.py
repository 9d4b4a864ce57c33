"""What of a recording is passed on to a window, without a window."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from neuroloop import Recorder, Recording, load_agent
from neuroloop.view.window import reading

from .test_shown import Kept


@pytest.mark.parametrize("steps_before", [0, 30])
def test_every_episode_that_ended_is_shown_with_its_whole_return_and_no_other_is(
    steps_before: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent, sheet = load_agent("random", "CartPole-v1", seed=3), Kept()
    agent.learn(steps_before)
    before = len(agent.progress.returns)
    with Recorder(tmp_path / "run.mcap", agent) as recorder, agent.watched(by=recorder):
        agent.learn(10**6, episodes=before + 4)
        agent.learn(5)
    monkeypatch.setattr(reading, "Sheet", lambda stream, live: sheet)
    window: Any = SimpleNamespace(stream=lambda title: None)
    assert reading.show_recording(Recording(tmp_path / "run.mcap"), window, lambda: True) == ""
    shown = np.concatenate([values for _, _, values in sheet.drawn["return/ended"]])
    returns = agent.progress.returns[before:]
    assert len(returns) == 4
    np.testing.assert_array_equal(shown[:, 0], returns)
    np.testing.assert_allclose(shown[:, 1], np.cumsum(returns) / np.arange(1, 5))
