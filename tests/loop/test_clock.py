"""Ticks are due on an absolute grid, whatever the ticks before took; what is left out is counted."""

import gc
import os
import time

import numpy as np
import pytest

from neuroloop.errors import BadInput
from neuroloop.loop.clock import NS, Clock
from neuroloop.loop.priority import undisturbed
from neuroloop.loop.timing import BLOCK, Timing


def test_no_tick_begins_before_it_is_due_and_lateness_does_not_add_up() -> None:
    clock = Clock(0.002)
    clock.start()
    begun = time.monotonic_ns()
    late = 0
    for k in range(50):
        due = clock.due_ns
        late, left_out = clock.wait()
        now = time.monotonic_ns()
        assert now >= due
        assert late >= 0
        assert clock.due_ns == due + (1 + left_out) * clock.period_ns
        assert (clock.due_ns - begun) // clock.period_ns >= k
    assert clock.due_ns - begun == pytest.approx((50 + clock.missed) * clock.period_ns, abs=NS // 1000)


@pytest.mark.parametrize("policy", ["skip", "hold"])
def test_ticks_whose_time_went_by_are_left_out_and_counted(policy: str) -> None:
    clock = Clock(0.01, policy)  # type: ignore[arg-type]
    clock.start()
    clock.wait()
    due = clock.due_ns
    time.sleep(0.035)
    late, left_out = clock.wait()
    assert left_out >= 2
    assert left_out == clock.missed
    assert clock.due_ns == due + (1 + left_out) * clock.period_ns
    assert late >= 0


def test_stretched_time_leaves_nothing_out() -> None:
    clock = Clock(0.01, "stretch")
    clock.start()
    clock.wait()
    due = clock.due_ns
    time.sleep(0.035)
    before = time.monotonic_ns()
    assert clock.wait() == (0, 0)
    assert clock.missed == 0
    assert clock.due_ns > due + clock.period_ns
    assert clock.due_ns >= before + clock.period_ns


@pytest.mark.parametrize("period", [0.0, -1.0, float("nan"), float("inf"), "1"])
def test_periods_that_are_none_are_refused(period: float) -> None:
    with pytest.raises(BadInput, match="period: must be"):
        Clock(period)


def test_policies_that_are_none_are_refused() -> None:
    with pytest.raises(BadInput, match="did you mean 'skip'"):
        Clock(0.1, "skp")  # type: ignore[arg-type]


def test_every_tick_is_noted_with_room_for_as_many_as_there_are() -> None:
    timing = Timing()
    for k in range(BLOCK + 10):
        timing.note(begun_ns=1000 * k, late_ns=k, left_out=k % 3 == 0, compute_ns=7, age_ns=9)
    assert timing.n == BLOCK + 10
    assert (timing.column("period") == 1000).all()
    assert timing.column("period").size == timing.n - 1
    assert timing.missed == sum(k % 3 == 0 for k in range(BLOCK + 10))
    spread = timing.spread("late")
    assert spread is not None
    assert spread.most == (BLOCK + 9) / 1e3
    assert spread.p50 == pytest.approx(np.percentile(np.arange(BLOCK + 10), 50) / 1e3)
    assert sum(n for _, _, n in timing.histogram()) == timing.n
    assert Timing().spread("late") is None
    assert Timing().report()["ticks"] == 0


def test_noting_allocates_nothing_that_stays() -> None:
    timing = Timing()
    timing.note(0, 0, 0, 0, 0)
    gc.collect()
    before = len(gc.get_objects())
    for k in range(1000):
        timing.note(k, k, 0, k, k)
    assert len(gc.get_objects()) <= before + 2


def test_the_garbage_collector_rests_and_everything_is_as_before_afterwards() -> None:
    scheduler = os.sched_getscheduler(0)
    with undisturbed(fifo=True) as refused:
        assert not gc.isenabled()
        permitted = os.sched_getscheduler(0) == os.SCHED_FIFO
        assert permitted != any("SCHED_FIFO" in line for line in refused)
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert os.sched_getscheduler(0) == scheduler
