"""What is finished is on the disk, whatever happens next."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from neuroloop.errors import BadInput, NeuroloopError
from neuroloop.evaluation.journal import Journal, put_aside

PATH = Path("runs/journal.jsonl")


def begun(*keys: str) -> Journal:
    journal = Journal(PATH, "classic")
    journal.begin({"code": "c"})
    for key in keys:
        journal.add(key, {"key": key})
    return journal


def test_what_was_added_is_there_afterwards() -> None:
    begun("a/b/0/1", "a/b/0/2")
    assert Journal(PATH, "classic").rows == {"a/b/0/1": {"key": "a/b/0/1"}, "a/b/0/2": {"key": "a/b/0/2"}}
    head = json.loads(PATH.read_text().splitlines()[0])
    assert head["neuroloop study"] == "classic"
    assert head["code"] == "c"


def test_a_line_cut_short_anywhere_costs_that_run_only() -> None:
    begun("a/b/0/1", "a/b/0/2")
    whole = PATH.read_bytes()
    last = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in range(last + 1, len(whole) - 1):
        PATH.write_bytes(whole[:end])
        again = Journal(PATH, "classic")
        assert (list(again.rows), again.damaged) == (["a/b/0/1"], 1)
    again.begin({})
    again.add("a/b/0/3", {})
    after = Journal(PATH, "classic")
    assert (list(after.rows), after.damaged) == (["a/b/0/1", "a/b/0/3"], 1)


def test_a_line_without_its_end_is_whole_if_it_can_be_read() -> None:
    begun("a/b/0/1")
    PATH.write_bytes(PATH.read_bytes().rstrip(b"\n"))
    again = Journal(PATH, "classic")
    again.add("a/b/0/2", {})
    assert list(Journal(PATH, "classic").rows) == ["a/b/0/1", "a/b/0/2"]


@pytest.mark.parametrize("cut", [b"", b"{", b'{"neuroloop stu'])
def test_a_journal_that_hardly_began_begins_anew(cut: bytes) -> None:
    PATH.parent.mkdir()
    PATH.write_bytes(cut)
    begun("a/b/0/1")
    assert list(Journal(PATH, "classic").rows) == ["a/b/0/1"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"neuroloop study": "bullet", "format": 1}\n', "belongs to the suite 'bullet', not to 'classic'"),
        ('{"neuroloop study": "classic", "format": 9}\n', "has format 9, this version reads 1"),
        ("dear diary\nnothing today\n", "not a journal of ours"),
        ("[1]\n[2]\n", "not a journal of ours"),
    ],
)
def test_a_file_that_is_no_journal_of_the_suite_is_refused(text: str, says: str) -> None:
    PATH.parent.mkdir()
    PATH.write_text(text)
    with pytest.raises(BadInput, match=says):
        Journal(PATH, "classic")
    assert PATH.read_text() == text


@pytest.mark.parametrize(
    "line",
    ["null", "3", '{"key": 4, "row": {}}', '{"key": "a/b/0/1", "row": []}', '{"row": {}}', '{"key": "a", "row": {}}'],
)
def test_a_line_that_is_no_run_is_counted_and_left(line: str) -> None:
    begun("a/b/0/1")
    with PATH.open("a") as file:
        file.write(line + "\n")
    again = Journal(PATH, "classic")
    assert (list(again.rows), again.damaged) == (["a/b/0/1"], 1)


def test_a_place_that_cannot_be_written_is_refused() -> None:
    Path("runs").write_text("a file")
    with pytest.raises(BadInput, match="cannot be written"):
        Journal(PATH, "classic")


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    journal = begun()

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(NeuroloopError, match="No space left on device"):
        journal.add("a/b/0/1", {})


def test_nan_never_reaches_the_disk() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        begun().add("a/b/0/1", {"mean": float("nan")})


def test_runs_of_other_settings_are_told_apart() -> None:
    journal = begun("pole/default/aaa/1")
    assert journal.others("pole/default/bbb/1")
    assert not journal.others("pole/default/bbb/2")
    assert not journal.others("pole/default/aaa/1")


def test_a_journal_is_put_aside_whole() -> None:
    begun("a/b/0/1")
    text = PATH.read_text()
    aside = put_aside(PATH)
    assert aside is not None
    assert aside.read_text() == text
    assert not PATH.exists()
    assert put_aside(PATH) is None
