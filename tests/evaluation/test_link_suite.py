"""The suite `link`: its figures have the names and targets that they are known by, and every case measures what it says."""

import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroloop.evaluation import (
    link_cases,
    link_failsafe,
    link_kills,
    link_memory,
    link_pace,
    link_processes,
    link_trips,
)
from neuroloop.evaluation.engine_cases import B1, B2
from neuroloop.evaluation.kills import Killed
from neuroloop.evaluation.suites import link

NAMED = {
    "ipc_roundtrip_us", "ipc_over_bare_zmq", "codec_67kb_us", "lateness_p99_over_cyclictest", "failsafe_over_bound",
    "tick_b2_us", "kills_wrongly_applied", "kills_not_recovered",
}  # fmt: skip


def test_figures_have_their_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    late = np.array([20_000, 40_000])
    kept = link_pace.Kept(late, np.array([0, 1]), np.array([0, 4_000_000]) + late, 2)
    grown = link_memory.Growth(1000, 0, 0.0, 4096, 0, 0)
    lateness = link_pace.Lateness([90.0], [20.0], "cyclictest", "SCHED_FIFO 80", late)
    deaths = link_failsafe.Deaths({kind: [105.0] for kind in link_failsafe.KINDS}, [30.0], [600.0])
    killed = link_kills.Kills("plant", 2, 1, 0, 0, 1, [0.5], "")
    monkeypatch.setattr(link_trips, "trips", lambda n, turns: link_trips.Trips([90.0], [60.0], [90.0, 130.0]))
    monkeypatch.setattr(link_trips, "coding", lambda repeats: [4.0])
    monkeypatch.setattr(link_pace, "lateness", lambda ticks, turns: lateness)
    monkeypatch.setattr(link_pace, "plant_at_500_hz", lambda seconds: kept)
    monkeypatch.setattr(link_failsafe, "deaths", lambda repeats: deaths)
    monkeypatch.setattr(link_kills, "kills", lambda who, n, each: killed._replace(who=who, lost=int(who == "plant")))
    monkeypatch.setattr(link_memory, "paced", lambda ticks: grown)
    monkeypatch.setattr(link_memory, "served", lambda ticks: grown._replace(garbage=None))
    monkeypatch.setattr(link, "tick_us", lambda spec, quick: ([250.0 if spec is B1 else 12.0], 20.0))
    said: list[str] = []
    suite = link.run(True, said.append)
    met = {figure.name: figure.met for figure in suite.figures}
    assert NAMED < set(met) == set(link.TARGETS)
    missed = ["tick_b1_us", "lateness_p99_over_cyclictest", "kills_not_recovered"]
    assert [name for name, is_met in met.items() if not is_met] == missed
    assert len(said) == len(suite.figures)
    assert len({tuple(row) for row in suite.rows}) == 1  # all have the same columns
    rows = {row["what"]: row["value"] for row in suite.rows}
    assert rows["left out, as noted"] == rows["left out, by when the environment was stepped"] == 1
    assert {"restart_to_live_ms p50", "killed max", "1 kHz with B2 p99.9", "PlantServer, memory"} < set(rows)


def test_a_log_is_read_along_while_another_process_writes(tmp_path: Path) -> None:
    log = link_cases.Log(tmp_path / "log", make=True)
    code = "import sys; from neuroloop.evaluation.link_cases import Log; log = Log(sys.argv[1]); "
    code += "[log.add(k, 2 * k, 0, 0, 0) for k in range(5)]"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "log")], check=True)
    assert log.n == 5
    assert log.column("command", 2).tolist() == [4, 6, 8]


@pytest.mark.parametrize("spec", [B1, B2])
def test_agents_are_as_large_as_the_benchmark_that_they_are_named_by(spec: Any) -> None:
    network = link_cases.agent(spec, link_cases.Silent(spec.sizes[0])).controller.network
    weights = [network.view(name).shape for name in network.names if name.endswith(".weights")]
    assert weights == list(zip(spec.sizes[:-1], spec.sizes[1:], strict=True))


def test_trips_go_over_the_link_and_over_bare_sockets_in_turns() -> None:
    trips = link_trips.trips(8, 3)
    assert len(trips.ours) == len(trips.bare) == 3
    assert len(trips.single) == 3 * link_trips.TURN
    assert min(trips.ours + trips.bare) > 0.0
    assert 0.0 < min(link_trips.coding(2)) < 1000.0


def test_the_histogram_of_cyclictest_gives_percentiles() -> None:
    bars = (b"000000 000000", b"000004 000090", b"000007 000009", b"000123 000001")
    report = b"\n".join([b"# /dev/cpu_dma_latency set to 0us", b"# Histogram", *bars, b"# Total: 100", b""])
    assert [link_pace.percentile_of(report, percent) for percent in (50, 90, 99, 100)] == [4.0, 4.0, 7.0, 123.0]
    with pytest.raises(ValueError, match="no histogram"):
        link_pace.percentile_of(b"# nothing\n", 99)


def test_lateness_is_that_of_the_loop_beside_one_without_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_pace.shutil, "which", lambda tool: None)
    before = os.sched_getscheduler(0)
    found = link_pace.lateness(50, 2)
    assert (len(found.ours), len(found.theirs), found.all.size) == (2, 2, 100)
    assert "is not installed" in found.beside
    assert found.all.min() >= 0
    assert os.sched_getscheduler(0) == before


def test_gaps_are_found_from_when_the_environment_was_stepped() -> None:
    period = 10**9 // link_pace.HZ
    places, late = np.array([0, 1, 4, 5, 9]), np.array([10_000, 900_000, 30_000, 1_900_000, 5])
    kept = link_pace.Kept(late, np.array([7, 0, 2, 0, 3]), 123 + places * period + late + 2000, 5)
    assert kept.gaps.tolist() == [0, 2, 0, 3]


def test_a_plant_that_keeps_its_time_notes_every_tick_that_it_left_out() -> None:
    kept = link_pace.plant_at_500_hz(0.3)
    assert kept.late.size == kept.left_out.size == kept.times.size >= 100
    assert kept.left_out[1:].sum() == kept.gaps.sum()
    assert 0 < kept.answered <= kept.late.size


def test_a_plant_whose_controller_is_killed_helps_itself_and_a_new_one_takes_over() -> None:
    found = link_failsafe.deaths(1, ["killed"])
    (ms,) = found.to_fail_safe["killed"]
    assert 1e3 * (link_failsafe.DEADLINE - link_failsafe.TICK) < ms < 10 * link_failsafe.BOUND_MS
    assert 0.0 < found.hello_to_live[0] < found.process_to_live[0]


def test_kills_are_counted_in_series_and_those_that_did_not_go_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(each: int, place: Path, seed: int) -> Killed:
        if seed == 2:
            raise RuntimeError("the plant stays away")
        return Killed(each, [3, 9], [0.1] * each, seed != 1)

    monkeypatch.setitem(link_kills.KINDS, "plant", killed)
    found = link_kills.kills("plant", 4, 5)
    assert (found.kills, found.wrong, found.lost, found.cut, len(found.back_s)) == (20, 1, 5, 6, 15)
    assert found.why == "the plant stays away"


def test_memory_is_that_of_one_episode_of_the_loop() -> None:
    grown = link_memory.paced(1000)
    assert grown.ticks == 1000
    assert grown.blocks < 100
    assert grown.blocks_per_tick < 0.01
    assert (grown.collections, grown.garbage) == (0, 0)


def test_growth_is_the_median_between_looks(tmp_path: Path) -> None:
    log = link_cases.Log(tmp_path / "log", make=True)
    for k in range(1, 6 * link_cases.LOOK_EVERY + 1):
        look = k % link_cases.LOOK_EVERY == 0
        log.add(k, 0, 1000 + 2 * k if look else 0, 4096 if look else 0, 3 if look else 0)
    grown = link_memory.growth(log)
    assert grown.ticks == (6 - link_memory.WARM - 1) * link_cases.LOOK_EVERY
    assert grown.blocks == 2 * grown.ticks
    assert grown.blocks_per_tick == 2.0
    assert (grown.bytes, grown.collections, grown.garbage) == (0, 0, None)


def test_waiting_ends_with_the_process_that_is_waited_for() -> None:
    with (
        link_processes.started("-c", "raise SystemExit(3)") as process,
        pytest.raises(RuntimeError, match="ended with 3"),
    ):
        link_processes.until(lambda: False, process)
    begun = time.monotonic()
    with pytest.raises(RuntimeError, match="nothing happened"):
        link_processes.until(lambda: False, patience=0.02)
    assert math.isclose(time.monotonic() - begun, 0.02, abs_tol=1.0)
