"""The suite `link`: what a step over ZeroMQ costs, how a loop keeps its time, how soon a plant without controller helps itself.

Where it says *over*, both were measured in turns in this run, and the figure is the median of the turns' ratios. Plants,
controllers and peers are in processes of their own; what each case is stands in `link_*.py`.
"""

from __future__ import annotations

import os

import numpy as np

from .. import link_cases, link_failsafe, link_kills, link_memory, link_pace, link_trips
from ..engine_cases import B1, B2, ClosedLoop, tick_medians
from ..figures import Suite
from ..found import Found, Report
from ..link_processes import on_one_core

TARGETS = {
    "ipc_roundtrip_us": 120.0, "ipc_over_bare_zmq": 1.5, "ipc_64kb_over_bare_zmq": 2.0, "codec_67kb_us": 10.0,
    "lateness_p99_over_cyclictest": 3.0, "failsafe_over_bound": 1.0, "tick_b2_us": 50.0, "tick_b1_us": 200.0,
    "kills_wrongly_applied": 0.0, "kills_not_recovered": 0.0, "hz500_60s_misses_recorded": 0.0, "loop_blocks_per_tick": 0.0,
    "gc_collections_in_loop": 0.0,
}  # fmt: skip
FLOATS, FLOATS_64KB = 64, 16_384


def run(quick: bool, report: Report) -> Suite:
    """Measure everything."""
    found = Found(report, TARGETS)
    found.row("", "load", os.getloadavg()[0], "", "of the last minute, when the suite began")
    _trips(found, quick)
    _ticks(found, quick)
    _lateness(found, quick)
    _deaths(found, quick)
    _kills(found, quick)
    _misses(found, quick)
    _memory(found, quick)
    return Suite("link", found.figures, found.rows)


def _trips(found: Found, quick: bool) -> None:
    turns, name = 40 if quick else 200, "ipc_roundtrip_us"
    with on_one_core():
        small, large = link_trips.trips(FLOATS, turns), link_trips.trips(FLOATS_64KB, turns // 2)
    found.figure(name, float(np.median(small.single)), "us", small.ours)
    found.spread(name, "64 floats", np.array(small.single), "us", "all processes on one core")
    found.row(name, "bare", float(np.median(small.bare)), "us", "DEALER to ROUTER and back by pyzmq alone, on one core")
    if not quick:
        apart = link_trips.trips(FLOATS, turns // 2)
        found.spread(name, "wherever they run", np.array(apart.single), "us", "left to the scheduler")
        found.row(name, "wherever they run, over bare", _over(apart), "×", "left to the scheduler")
    for figure, one in (("ipc_over_bare_zmq", small), ("ipc_64kb_over_bare_zmq", large)):
        found.figure(figure, _over(one), "×", np.array(one.ours) / np.array(one.bare))
    samples = link_trips.coding(5 if quick else 15)
    found.figure("codec_67kb_us", min(samples), "us", samples)


def _over(trips: link_trips.Trips) -> float:
    return float(np.median(np.array(trips.ours) / np.array(trips.bare)))


def _ticks(found: Found, quick: bool) -> None:
    for name, spec in (("tick_b2_us", B2), ("tick_b1_us", B1)):
        samples, spikes = tick_us(spec, quick)
        found.figure(name, min(samples), "us", samples)
        found.row(name, "spikes a tick", spikes, "", "of encoder and network; CPU time of `Controller.act`")


def tick_us(spec: ClosedLoop, quick: bool) -> tuple[list[float], float]:
    """CPU time (µs) from observation and reward to the action, learning included, and spikes a tick."""
    env = link_cases.Silent(spec.sizes[0])
    agent = link_cases.agent(spec, env)
    agent.learn(200)
    controller, rng = agent.controller, np.random.default_rng(0)
    observations = rng.uniform(-1.0, 1.0, (link_cases.ROUND, spec.sizes[0])).astype(np.float32)
    rewards, acted, before = rng.normal(size=link_cases.ROUND), 0, controller.spikes

    def tick(_: int) -> None:
        nonlocal acted
        acted += 1
        k = acted % link_cases.ROUND
        controller.act(observations[k], rewards[k], first=False)

    samples = tick_medians(tick, 5, 0.2 if quick else 1.0)
    return samples, (controller.spikes - before) / acted


def _lateness(found: Found, quick: bool) -> None:
    name = "lateness_p99_over_cyclictest"
    one = link_pace.lateness(1000 if quick else 5000, 3 if quick else 7)
    ratios = np.array(one.ours) / np.array(one.theirs)
    found.figure(name, float(np.median(ratios)), "×", ratios)
    found.spread(name, "1 kHz with B2", one.all / 1e3, "us", one.scheduling)
    found.row(
        name, f"p99 of {one.beside}", float(np.median(one.theirs)), "us", f"median of the turns, {one.scheduling}"
    )


def _deaths(found: Found, quick: bool) -> None:
    name, one = "failsafe_over_bound", link_failsafe.deaths(3 if quick else 20)
    every = np.concatenate(list(one.to_fail_safe.values())) / link_failsafe.BOUND_MS
    found.figure(name, float(every.max()), "×", every)
    for kind, ms in one.to_fail_safe.items():
        note = f"from the signal to the fail-safe action; bound {link_failsafe.BOUND_MS:g} ms"
        found.row(name, f"{kind} p50", float(np.median(ms)), "ms", note)
        found.row(name, f"{kind} max", max(ms), "ms", note)
    for what, note, ms in (
        (
            "restart_to_live_ms",
            "from the hello of a new controller to the first step by its command",
            one.hello_to_live,
        ),
        ("process_to_live_ms", "from the start of its process, imports included", one.process_to_live),
    ):
        found.row(name, f"{what} p50", float(np.median(ms)), "ms", note)
        found.row(name, f"{what} max", max(ms), "ms", note)


def _kills(found: Found, quick: bool) -> None:
    wrong, lost = "kills_wrongly_applied", "kills_not_recovered"
    both = [link_kills.kills("plant", *((1, 2) if quick else (5, 10)))]
    both.append(link_kills.kills("controller", *((1, 1) if quick else (5, 10))))
    n = sum(one.kills for one in both)
    found.figure(wrong, sum(one.wrong for one in both), "series", [one.wrong for one in both], n)
    found.figure(lost, sum(one.lost for one in both), "kills", [one.lost for one in both], n)
    for one in both:
        found.row(wrong, f"{one.who}, kills", one.kills, "", f"in {one.series} runs, at random moments, by SIGKILL")
        found.row(lost, f"{one.who}, kills not recovered", one.lost, "", one.why)
        note = (
            "from the kill" if one.who == "plant" else "from the start of its process until it learns, imports included"
        )
        if one.back_s:
            found.row(lost, f"{one.who}, back p50", float(np.median(one.back_s)), "s", note)
            found.row(lost, f"{one.who}, back max", max(one.back_s), "s", note)
    found.row(wrong, "plant, episodes cut off", both[0].cut, "", "and begun anew")


def _misses(found: Found, quick: bool) -> None:
    name, kept = "hz500_60s_misses_recorded", link_pace.plant_at_500_hz(5.0 if quick else 60.0)
    noted, gaps = kept.left_out[1:], kept.gaps
    found.figure(name, float(abs(noted.sum() - gaps.sum())), "ticks", np.abs(noted - gaps))
    driven = "with an agent of B2's size at the other end of the link; SCHED_FIFO where it is permitted"
    found.row(name, "ticks", kept.late.size, "", driven)
    found.row(name, "left out, as noted", int(noted.sum()), "ticks")
    found.row(name, "left out, by when the environment was stepped", int(gaps.sum()), "ticks")
    found.row(name, "acted on by the controller", kept.answered, "ticks")
    found.spread(name, "late", kept.late / 1e3, "us")


def _memory(found: Found, quick: bool) -> None:
    ticks = 2000 if quick else 10_000
    grown = {"Paced": link_memory.paced(ticks), "PlantServer": link_memory.served(ticks)}
    each, collections = [g.blocks_per_tick for g in grown.values()], [g.collections for g in grown.values()]
    found.figure("loop_blocks_per_tick", max(each), "", each)
    found.figure("gc_collections_in_loop", float(max(collections)), "", collections)
    for loop, one in grown.items():
        name = "loop_blocks_per_tick"
        found.row(name, f"{loop}, blocks in all", one.blocks, "", f"over {one.ticks} ticks")
        note = "the list of an unfinished episode's actions, from which it is brought back" if loop == "Paced" else ""
        found.row(name, f"{loop}, memory", one.bytes / 1e3, "kB", note)
        if one.garbage is not None:
            found.row(name, f"{loop}, garbage afterwards", one.garbage, "objects")
