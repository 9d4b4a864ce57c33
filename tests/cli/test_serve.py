"""`neuroloop serve` refuses in one line what it cannot do, before it says that anything is served."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
POLE, CAR = "neuroloop/PoleBalance-v0", "MountainCar-v0"


@pytest.fixture
def bind(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/plant/plant.ipc"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((POLE, "--deadline", 0.2), "--deadline: is for a plant that keeps its own time; add --realtime"),
        ((POLE, "--overrun", "hold"), "--overrun: is for a plant that keeps its own time; add --realtime"),
        ((POLE, "--fifo"), "--fifo: is for a plant that keeps its own time; add --realtime"),
        (("CartPole-v1", "--amplitude", 0.1), "limits: are for Box actions"),
        ((POLE, "--amplitude", -1), "amplitude: must be a number"),
        ((POLE, "--amplitude", 0.1, "--fail-safe", "[0.2]"), "fail-safe: lies beyond the amplitude"),
        ((POLE, "--realtime", "--deadline", "nan"), "deadline: must be a number of s above 0, got nan"),
        ((POLE, "--realtime", "--deadline", "inf"), "deadline: must be a number of s above 0, got inf"),
        ((POLE, "--realtime", "--deadline", "1e300"), "deadline: must be at most 1e+09 s"),
        ((POLE, "--realtime", "--deadline", -1), "deadline: must be a number of s above 0, got -1.0"),
        ((POLE, "--realtime", "--period", 0), "period: must be a number of s above 0"),
        ((POLE, "--realtime", "--tap", "nonsense"), "tap: must be ipc://PATH"),
        ((CAR, "--realtime"), "give a period in s (`serve --period`)"),
        (("MountainCarContinuous-v0", "--slew", 1), "give a period in s (`serve --period`)"),
    ],
)
def test_what_makes_no_sense_is_one_clear_line(cli: Cli, bind: str, words: tuple[Any, ...], says: str) -> None:
    done = cli("serve", "--bind", bind, *words)
    assert done.code == 2
    assert says in done.err
    assert len(done.err.strip().splitlines()) == 1  # also not that it is served


def test_a_run_without_a_time_to_keep_has_no_use_for_fifo(cli: Cli) -> None:
    done = cli("run", "cartpole", "--fifo", "--steps", 1)
    assert done.code == 2
    assert "--fifo: is for a run that keeps its plant's time; add --realtime" in done.err


def test_a_run_in_real_time_of_what_does_not_tell_its_time_says_what_to_do(cli: Cli) -> None:
    done = cli("run", "default", "--env", CAR, "--realtime", "--steps", 1)
    assert done.code == 2
    assert "`neuroloop serve MountainCar-v0 --realtime --period SECONDS`" in done.err
