"""The ring keeps every record in order, or refuses it; it never overwrites what was not taken out."""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.recording.ring import Ring, make_room


@pytest.fixture(scope="module")
def ends() -> tuple[Ring, Ring]:
    fd = make_room(4096)
    return Ring(fd), Ring(fd)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1500), st.booleans()), max_size=60))
def test_what_was_put_in_comes_out_in_order(ends: tuple[Ring, Ring], acts: list[tuple[int, bool]]) -> None:
    put, take = ends
    waiting: list[bytes] = []
    for k, (size, taking) in enumerate(acts):
        record = bytes([k]) * size
        if put.put(record):
            waiting.append(record)
        else:
            assert sum(8 + len(one) for one in waiting) + size > 4096 / 2 - 1600
        if taking:
            assert [bytes(one) for one in take.take()] == waiting
            waiting = []
    assert [bytes(one) for one in take.take()] == waiting


def test_a_full_ring_refuses_and_goes_on_once_there_is_room() -> None:
    fd = make_room(4096)
    put, take = Ring(fd), Ring(fd)
    kept = 0
    while put.put(b"x" * 100):
        kept += 1
    assert kept == 4096 // 112
    assert not put.put(b"x" * 100)
    assert len([bytes(one) for one in take.take()]) == kept
    assert put.put(b"y" * 100)
    assert [bytes(one) for one in take.take()] == [b"y" * 100]
    assert not put.put(b"z" * 5000)
    os.close(fd)
