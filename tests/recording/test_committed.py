"""What our own worlds and agents did when they were recorded, they still do.

Where a change of behaviour is meant, `recordings/worlds/make.sh` makes the recordings anew: commit them with the change,
and say why in its message.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import neuroloop
from neuroloop import Recording
from neuroloop.agent import Agent
from neuroloop.recording.digest import digest_of
from neuroloop.recording.replay import elsewhere

FOLDER = Path(__file__).parent.parent.parent / "recordings" / "worlds"
PATHS = sorted(FOLDER.glob("*.mcap"))
AGAIN = "is that meant? Then make the recordings anew, recordings/worlds/make.sh, and commit them with the change"
LOCKSTEP = [path for path in PATHS if not path.stem.endswith(("-in-real-time", "-over-a-link"))]
every = pytest.mark.parametrize("path", PATHS, ids=[path.stem for path in PATHS])


def test_there_are_recordings_of_our_worlds_in_lockstep_in_real_time_and_over_a_link() -> None:
    assert {"lane-keeping", "arm-reaching", "target-tracking", "pole"} <= {path.stem for path in LOCKSTEP}
    assert {"pole-in-real-time", "pole-over-a-link"} <= {path.stem for path in PATHS}


@every
def test_a_committed_recording_is_replayed(path: Path) -> None:
    """Bit for bit with the versions and the processor that it was made with; elsewhere as `replay` says: equal to 1e-5."""
    report = neuroloop.replay(path)
    assert report.same, f"{path.name}: {report.first_far or report.first or 'the weights at the end differ'}; {AGAIN}"
    assert report.stopped is None
    assert report.ticks >= 50


@pytest.mark.parametrize("path", LOCKSTEP, ids=[path.stem for path in LOCKSTEP])
def test_the_same_run_in_its_world_ends_in_the_same_bits(path: Path, tmp_path: Path) -> None:
    """Replay feeds what was seen; here the world is there again, and must show the same."""
    recording = Recording(path)
    if other := elsewhere(recording.meta):
        pytest.skip(f"bits of a world are promised where it was recorded only: {other}")
    if recording.meta["env"].startswith("neuroloop/"):
        pytest.importorskip("pybullet")
    (tmp_path / "start.zip").write_bytes(recording.start)
    with Agent.load(tmp_path / "start.zip") as agent:
        while agent.progress.ticks < recording.column("tick").size:
            agent.learn(1)
        assert digest_of(agent.controller.state()) == recording.digest, f"{path.name}: {AGAIN}"


@every
def test_a_committed_recording_is_whole_and_named_in_the_readme(path: Path) -> None:
    recording = Recording(path)
    assert (recording.complete, recording.dropped) == (True, 0)
    (row,) = (line for line in (FOLDER / "README.md").read_text().splitlines() if f"]({path.name})" in line)
    assert f"`{recording.meta['command']}`" in row
    assert recording.meta["started"][:10] in row


def test_committed_recordings_are_small() -> None:
    sizes = [path.stat().st_size for path in PATHS]
    assert max(sizes) < 1_000_000
    assert sum(sizes) < 5_000_000
