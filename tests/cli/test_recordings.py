"""`neuroloop run --record`, `info FILE`, `recover` and `export`, as a user meets them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroloop import Recording

Cli = Callable[..., Any]


@pytest.fixture
def recorded(cli: Cli) -> Path:
    done = cli("run", "cartpole", "--steps", 250, "--record", "run.mcap")
    assert done.code == 0
    assert "recording   run.mcap, 250 decisions\n" in done.out
    return Path("run.mcap")


def test_a_recorded_run_says_so_and_holds_its_command(recorded: Path, cli: Cli) -> None:
    facts = json.loads(cli("info", recorded, "--json").out)
    assert facts["command"] == "neuroloop run cartpole --seed 0 --steps 250 --record run.mcap"
    assert (facts["ticks"], facts["first_tick"], facts["last_tick"], facts["missing"]) == (250, 0, 249, 0)
    assert facts["complete"]
    assert facts["environment_steps"] == 250
    told = cli("info", recorded)
    assert "CartPole-v1" in told.out
    again = cli("run", "cartpole", "--steps", 250, "--record", recorded)
    assert again.code == 2
    assert "run.mcap: is there already" in again.err
    assert not again.out


def test_the_report_for_machines_counts_what_was_dropped(cli: Cli) -> None:
    report = json.loads(
        cli("run", "random", "--env", "CartPole-v1", "--steps", 30, "--record", "a/b.mcap", "--json").out
    )
    assert report["recording"] == {"file": "a/b.mcap", "ticks": 30, "dropped": 0, "failure": None}
    assert json.loads(cli("run", "random", "--env", "CartPole-v1", "--steps", 30, "--json").out)["recording"] is None


def test_runs_in_real_time_are_recorded_with_their_timing(cli: Cli) -> None:
    assert cli("run", "random", "--env", "CartPole-v1", "--realtime", "--steps", 10, "--record", "run.mcap").code == 0
    assert Recording("run.mcap").column("compute").all()


def test_what_was_cut_off_is_recovered(recorded: Path, cli: Cli) -> None:
    raw = recorded.read_bytes()
    Path("cut.mcap").write_bytes(raw[:-3000])
    assert "ended             cut off" in cli("info", "cut.mcap").out
    done = cli("recover", "cut.mcap")
    assert done.code == 0
    assert done.out.startswith("cut.recovered.mcap: ")
    assert "the file was cut off" in done.out
    assert Path("cut.mcap").read_bytes() == raw[:-3000]
    assert cli("recover", "cut.mcap").code == 2
    found = json.loads(cli("recover", "cut.mcap", "--to", "other.mcap", "--json").out)
    assert found["path"] == "other.mcap"
    assert found["ticks"] == len(list(Recording("other.mcap").ticks())) > 0
    nothing = cli("recover", "pyproject.toml")
    assert nothing.code == 2
    assert "no such file" in nothing.err


def test_tables_hold_the_same_numbers(recorded: Path, cli: Cli) -> None:
    ticks = list(Recording(recorded).ticks())
    assert cli("export", recorded, "--to", "npz").out == "run.npz\n"
    with np.load("run.npz") as arrays:
        assert np.array_equal(arrays["observation"], np.stack([one.tick.observation for one in ticks]))
        assert arrays["action"].tolist() == [one.tick.action for one in ticks]
        assert np.array_equal(arrays["spikes/critic"], np.stack([one.spikes["critic"] for one in ticks]))
        assert arrays["value"].tolist() == [one.numbers["value"] for one in ticks]
    assert cli("export", recorded, "--to", "csv", "--out", "out/table.csv").code == 0
    with open("out/table.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [np.float32(row["observation[2]"]) for row in rows] == [one.tick.observation[2] for one in ticks]
    assert [float(row["value"]) for row in rows] == [one.numbers["value"] for one in ticks]
    again = cli("export", recorded, "--to", "npz")
    assert again.code == 2
    assert "is there already" in again.err


def test_what_a_recording_does_not_hold_cannot_be_exported(recorded: Path, cli: Cli) -> None:
    for kind, said in (("gif", "no pictures and no events"), ("aedat4", "hold no events")):
        done = cli("export", recorded, "--to", kind)
        assert done.code == 2
        assert said in done.err
    assert not list(Path().glob("*.gif"))
    assert not list(Path().glob(".*"))


def test_info_without_a_file_still_tells_of_the_machine(cli: Cli) -> None:
    assert "numba" in json.loads(cli("info", "--json").out)


def test_where_nothing_can_be_recovered_the_exit_code_says_so(recorded: Path, cli: Cli) -> None:
    raw = recorded.read_bytes()
    Path("head.mcap").write_bytes(raw[: raw.index(b"neuroloop.again") + 4000])
    done = cli("recover", "head.mcap")
    assert done.code == 1
    assert "0 in all: no decision" in done.out


def test_info_of_what_was_damaged_counts_what_is_missing(recorded: Path, cli: Cli) -> None:
    raw = bytearray(recorded.read_bytes())
    raw[raw.index(b"\x04\0\0\0zstd") + 2000] ^= 1
    Path("hurt.mcap").write_bytes(raw)
    done = cli("recover", "hurt.mcap", "--json")
    assert done.code == 0
    facts = json.loads(cli("info", "hurt.recovered.mcap", "--json").out)
    assert facts["lost_parts"] == 1
    assert facts["ticks"] + facts["missing"] == 250
    assert facts["missing"] > 0
