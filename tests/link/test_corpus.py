"""Whatever comes, nothing wrong is applied, nothing crashes, and memory stays: the corpus, random damages, and every field."""

from __future__ import annotations

import gc
import os
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.link import messages
from neuroloop.link.messages import Refused
from tests.link import fuzz

MODES = ["lockstep", "real time"]
MANY = 100_000
PAGE = os.sysconf("SC_PAGE_SIZE")


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def test_the_corpus_is_what_its_script_makes() -> None:
    made, kept = fuzz.corpus(), fuzz.kept()
    assert [entry[1] for entry in kept[: len(made)]] == [entry[1] for entry in made]
    assert [tuple(entry) for entry in kept[: len(made)]] == made
    assert len({tuple(entry[2]) for entry in made if entry[0] == "plant"}) > 300


def wrong(applied: list[Any]) -> list[Any]:
    """What was applied and is neither the command that holds, nor the fail-safe action."""
    return [did for did in applied if did not in ([0.5, 0.5], [0.0, 0.0])]


@pytest.mark.parametrize("mode", MODES)
def test_nothing_of_the_corpus_is_applied_and_the_next_valid_command_is(mode: str) -> None:
    env, say, plant = fuzz.plants()[mode]
    for to, what, frames in fuzz.kept():
        if to != "plant" or (mode, what) == ("real time", "step with the future"):  # there, numbers may leap
            continue
        answer = say(frames, b"me")
        if mode == "real time":
            plant.tick(0)
        assert not wrong(env.applied), what
        if answer:
            refused = messages.from_plant(bytes(answer[0]))
            assert isinstance(refused, Refused), what
            assert len(refused.reason) <= 1000
        if plant.session.seq != 2:  # a valid number with a wrong action: it counts, but does nothing
            env, say, plant = fuzz.plants()[mode]
    env, say, plant = fuzz.plants()[mode]
    say([fuzz.pack(fuzz.STEP), fuzz.GOOD], b"me")
    if mode == "real time":
        plant.tick(0)
    assert wrong(env.applied) == [[0.25, -0.25]]


@pytest.mark.parametrize("mode", MODES)
def test_of_very_many_damaged_messages_none_is_applied_and_memory_stays(mode: str) -> None:
    rng = random.Random(1)
    env, say, plant = fuzz.plants()[mode]
    made = [fuzz.damaged(rng) for _ in range(MANY // 10)]
    before = 0
    gc.collect()
    gc.disable()  # as while time is kept
    try:
        for k in range(10):
            if k == 2:
                before = resident()
            for who, frames in made:
                say(frames, who)
            if mode == "real time":
                plant.tick(0)
        assert resident() - before < 1 << 20
    finally:
        gc.enable()
    assert not wrong(env.applied)
    assert plant.session.refused > 0.5 * MANY
    assert plant.session.number == 11


ANY = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=8), st.binary(max_size=8),
        st.sampled_from([1, 2, 3, 11, 12, "step", "reset", "hello"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
@given(kind=st.sampled_from(sorted(fuzz.TO_PLANT)), data=st.data())
@settings(max_examples=120, deadline=None, derandomize=True)
def test_every_field_of_every_message_may_hold_anything(mode: str, kind: str, data: st.DataObject) -> None:
    env, say, plant = fuzz.plants()[mode]
    header, frames = fuzz.TO_PLANT[kind]
    changed = {**header, **data.draw(st.dictionaries(st.sampled_from(sorted(header)), ANY, min_size=1, max_size=3))}
    if data.draw(st.booleans()):
        frames = data.draw(st.lists(st.binary(max_size=12), max_size=3))
    answer = say([fuzz.pack(changed), *frames], data.draw(st.sampled_from([b"me", b"other"])))
    if mode == "real time":
        plant.tick(0)
    for did in wrong(env.applied):
        assert changed["session"] == 11
        assert changed["seq"] == 3 or (mode == "real time" and changed["seq"] > 3)
        assert isinstance(did, str | tuple) or (np.isfinite(did).all() and np.abs(did).max() <= 1.0)
    assert len(env.applied) <= 2
    assert not answer or messages.from_plant(bytes(answer[0]))
