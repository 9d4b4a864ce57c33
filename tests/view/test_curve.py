"""Learning curves as a picture and as a line, and the live line."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import resource
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest

import neuroloop
from neuroloop.errors import MissingExtra
from neuroloop.loop.lockstep import Progress
from neuroloop.view.curve import BLOCKS, draw_curve, sparkline
from neuroloop.view.live import LiveLine


def test_a_sparkline_rises_with_its_values() -> None:
    assert sparkline([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]) == BLOCKS
    assert sparkline([7.0, 0.0]) == "█▁"


def test_a_sparkline_of_many_values_is_as_wide_as_it_may_be() -> None:
    line = sparkline(range(10_000), width=40)
    assert len(line) == 40
    assert list(line) == sorted(line)


def test_a_sparkline_of_nothing_and_of_sameness_is_flat() -> None:
    assert sparkline([]) == ""
    assert sparkline([3.0, 3.0, 3.0]) == "▁▁▁"


def a_run(episodes: int) -> Progress:
    progress = Progress(200.0)
    progress.returns = [float(n) for n in range(episodes)]
    progress.lengths = [10] * episodes
    return progress


@pytest.mark.parametrize("episodes", [1, 99, 100, 250])
def test_a_curve_is_a_picture(episodes: int, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = draw_curve(a_run(episodes), "title", tmp_path / "new" / "curve.png")
    assert path.read_bytes().startswith(b"\x89PNG\r\n")


def test_a_full_disk_leaves_the_curve_before(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = draw_curve(a_run(3), "title", tmp_path / "curve.png")
    before, limit = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limit[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            draw_curve(a_run(99), "title", path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_there_is_no_curve_before_an_episode_ended(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no episode ended yet"):
        draw_curve(Progress(None), "title", tmp_path / "curve.png")


def test_without_matplotlib_the_one_command_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in sys.modules if name.startswith("neuroloop.view.plots")]:
        monkeypatch.delitem(sys.modules, name)
    for name in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r'pip install "neuroloop\[plot\]"$'):
        draw_curve(a_run(3), "title", tmp_path / "curve.png")


def test_without_matplotlib_a_run_still_reports_with_a_sparkline(tmp_path: Path) -> None:
    code = "import sys; sys.modules['matplotlib'] = None; from neuroloop.cli import main; main()"
    command = [sys.executable, "-c", code, "run", "random", "--env", "CartPole-v1", "--steps", "200"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert 'pip install "neuroloop[plot]"' in done.stdout
    assert any(block in done.stdout for block in BLOCKS)
    assert list(tmp_path.rglob("*.png")) == []
    assert len(list(tmp_path.rglob("*.zip"))) == 1


@pytest.fixture(scope="module")
def agent() -> Any:
    agent = neuroloop.load_agent("cartpole", seed=31)
    agent.learn(300)
    return agent


def test_the_live_line_says_how_it_goes(agent: Any) -> None:
    file = io.StringIO()
    LiveLine(agent, file).close()
    line = file.getvalue()
    assert line.endswith("\n")
    assert line.count("\n") == 1
    for word in ("episode", "return", "mean of 100", "spikes/decision", "µs/decision", "steps/s", "step 300"):
        assert word in line


def test_before_the_first_episode_ended_the_live_line_has_dashes_for_numbers() -> None:
    file = io.StringIO()
    LiveLine(neuroloop.load_agent("random", "CartPole-v1"), file).close()
    assert "–" in file.getvalue()
    assert "nan" not in file.getvalue()


def test_into_a_file_lines_come_seldom(agent: Any) -> None:
    file = io.StringIO()
    line = LiveLine(agent, file)
    for _ in range(100):
        line.show()
    assert file.getvalue() == ""


def read_all(terminal: int) -> str:
    """What was shown on a terminal that the other side has closed."""
    shown = b""
    with os.fdopen(terminal, "rb", buffering=0) as file, contextlib.suppress(OSError):  # Linux ends it with an error
        while more := file.read(4096):
            shown += more
    return shown.decode()


@pytest.mark.parametrize("columns", [30, 80, 200])
def test_on_a_terminal_the_line_is_rewritten_in_place_and_never_wraps(agent: Any, columns: int) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    with os.fdopen(theirs, "w") as terminal:
        line = LiveLine(agent, terminal)
        line.show()
        line.show()
        line.close()
    shown = read_all(ours)
    assert shown.count("\n") == 1
    rows = shown.replace("\x1b[K", "").replace("\r\n", "\r").rstrip("\r").split("\r")
    assert len(rows) == 3
    assert all(row.startswith("episode") and len(row) < columns for row in rows)
    assert ("step 300" in rows[0]) == (columns == 200)
