"""How far a study is: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import io

import pytest

from neuroloop.evaluation.progress import Bar, Lines, watcher


class Terminal(io.StringIO):
    """A file that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def show(file: io.StringIO) -> str:
    shown = watcher(file)
    shown.begin(2, 4, 3.0)
    shown.running(2)
    shown.finished("pole seed 1: solved", 1.0)
    shown.say("a process died")
    shown.finished("pole seed 2: solved [really]", 2.0)
    shown.end()
    return file.getvalue()


def test_lines_count_and_say_what_is_left() -> None:
    lines = show(io.StringIO()).splitlines()
    assert lines[0] == "2 of 4 runs are there already"
    assert lines[1] == "[3/4, 0 s left] pole seed 1: solved"
    assert lines[2:] == ["a process died", "[4/4, done] pole seed 2: solved [really]"]


def test_a_terminal_gets_a_bar_and_the_same_lines() -> None:
    text = show(Terminal())
    for words in ("[3/4, 0 s left] pole seed 1: solved", "solved [really]", "4/4", "2 running", "a process died"):
        assert words in text


def test_the_watcher_follows_the_file() -> None:
    assert type(watcher(io.StringIO())) is Lines
    assert type(watcher(Terminal())) is Bar


@pytest.mark.parametrize(
    ("ago", "done", "left"),
    [(10.0, 1.0, "30 s left"), (60.0, 1.0, "3 min 00 s left"), (4000.0, 1.0, "3 h 20 min left"), (5.0, 0.0, "some time left")],
)  # fmt: skip
def test_what_is_left_follows_from_what_took_how_long(ago: float, done: float, left: str) -> None:
    lines = Lines(io.StringIO())
    lines.begin(0, 4, 4.0)
    lines._started -= ago
    lines.finished("", done)
    assert lines.remaining == left
