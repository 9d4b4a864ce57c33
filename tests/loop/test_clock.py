"""Ticks are due on an absolute grid, whatever the ticks before took; what is left out is counted."""

import gc
import math
import os
import sys
import time

import numpy as np
import pytest

from neuroloop.cli.timing import timing_lines
from neuroloop.errors import BadInput
from neuroloop.loop.clock import NS, Clock
from neuroloop.loop.priority import undisturbed
from neuroloop.loop.timing import KEPT, Timing


def test_no_tick_begins_before_it_is_due_and_lateness_does_not_add_up() -> None:
    clock = Clock(0.002)
    clock.start()
    begun = time.monotonic_ns()
    late = skipped = 0
    for k in range(50):
        due = clock.due_ns
        late, left_out = clock.wait()
        now = time.monotonic_ns()
        assert now >= due
        assert clock.tick_ns == due + left_out * clock.period_ns
        skipped += left_out
        assert late >= 0
        assert clock.due_ns == due + (1 + left_out) * clock.period_ns
        assert (clock.due_ns - begun) // clock.period_ns >= k
    assert clock.due_ns - begun == pytest.approx((50 + skipped) * clock.period_ns, abs=NS // 1000)


@pytest.mark.parametrize("policy", ["skip", "hold"])
def test_ticks_whose_time_went_by_are_left_out_and_counted(policy: str) -> None:
    clock = Clock(0.01, policy)  # type: ignore[arg-type]
    clock.start()
    clock.wait()
    due = clock.due_ns
    time.sleep(0.035)
    late, left_out = clock.wait()
    assert left_out >= 2
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
    assert clock.due_ns > due + clock.period_ns
    assert clock.due_ns >= before + clock.period_ns


@pytest.mark.parametrize("period", [0.0, -1.0, float("nan"), float("inf"), "1"])
def test_periods_that_are_none_are_refused(period: float) -> None:
    with pytest.raises(BadInput, match="period: must be"):
        Clock(period)


def test_policies_that_are_none_are_refused() -> None:
    with pytest.raises(BadInput, match="did you mean 'skip'"):
        Clock(0.1, "skp")  # type: ignore[arg-type]


def noted(n: int) -> Timing:
    timing = Timing()
    for k in range(n):
        timing.note(begun_ns=1000 * k, late_ns=k, left_out=k % 3 == 0, compute_ns=7, age_ns=9)
    return timing


@pytest.mark.parametrize("n", [1, 1000, KEPT, KEPT + 10])
def test_every_tick_counts_and_the_latest_are_kept_one_by_one(n: int) -> None:
    timing = noted(n)
    first = max(0, n - KEPT)
    assert timing.n == n
    assert (timing.column("late") == np.arange(first, n)).all()
    assert (timing.column("period") == 1000).all()
    assert timing.column("period").size == min(n - 1, KEPT)
    assert timing.missed == sum(k % 3 == 0 for k in range(n))
    spread = timing.spread("late")
    assert spread is not None
    assert spread.most == (n - 1) / 1e3
    for found, percent in ((spread.p50, 50), (spread.p99, 99), (spread.p999, 99.9)):
        assert found == pytest.approx(np.percentile(np.arange(n), percent) / 1e3, rel=0.0 if n <= KEPT else 1 / 128)
    assert timing.histogram()[0] == (0, 20, min(n, 20_000))
    assert sum(bar for _, _, bar in timing.histogram()) == n
    assert timing.report()["ticks"] == n


def test_where_nothing_was_noted_there_is_nothing_to_say() -> None:
    assert Timing().spread("late") is None
    assert noted(1).spread("period") is None
    assert Timing().report()["ticks"] == 0


def test_noting_allocates_nothing_that_stays() -> None:
    timing = noted(100)
    gc.collect()
    with undisturbed(fifo=False):
        before = sys.getallocatedblocks()
        for k in range(KEPT + 100):
            timing.note(1000 * k, 300 + k % 1000, k % 2, 500, 70_000)
        after = sys.getallocatedblocks()
    assert (
        after - before < 50
    )  # of 65 636 ticks: numbers that took the place of small ones, of which Python has one each


def test_the_garbage_collector_rests_and_everything_is_as_before_afterwards() -> None:
    scheduler = os.sched_getscheduler(0)
    with undisturbed(fifo=True) as refused:
        assert not gc.isenabled()
        permitted = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
        assert permitted != any("SCHED_FIFO" in line for line in refused)
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0
    assert os.sched_getscheduler(0) == scheduler


@pytest.mark.parametrize("odd", [math.nan, math.inf, 1e300, 0.0, -1.0])
def test_periods_that_no_plant_has_are_refused(odd: float) -> None:
    with pytest.raises(BadInput, match="period: must be"):
        Clock(odd)


def test_ticks_that_acted_on_nothing_that_was_seen_have_no_age() -> None:
    timing = Timing()
    for age in (None, 500_000, None, 700_000):
        timing.note(0, 0, 0, 0, age)
    assert timing.column("age").tolist() == [500_000, 700_000]
    spread = timing.spread("age")
    assert spread is not None
    assert spread.p50 == 600.0
    nothing = Timing()
    assert nothing.note(0, 0, 0, 0, None).age == 0
    assert "age_us" not in nothing.report()
    assert any("ticks" in line for line in timing_lines(nothing.report()))


def test_ticks_that_were_made_up_for_are_told_beside_those_that_were_left_out() -> None:
    timing = Timing()
    timing.note(0, 0, 2, 0, 0, held=3)
    assert (timing.missed, timing.held) == (2, 3)
    assert "ticks        1, 2 left out, 3 made up for" in timing_lines(timing.report())
