"""What a tap with a reader in a process of its own adds to a tick: as the live view has it told, and of every tick.

python -m neuroloop.evaluation.recording_view ENDPOINT     a reader, which prints in the end what it heard
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from ..agent import Agent
from ..link.telemetry.facts import TickFacts
from ..link.telemetry.listening import Listener
from ..link.telemetry.tap import Tap
from ..view.window.beside import Sparing
from .link_processes import STARTING, folder
from .recording_cases import Overhead, overhead

PATIENCE = 60.0  # s of silence that a reader bears


class Viewed(NamedTuple):
    """What was added, and what came of it."""

    overhead: Overhead
    told: int  # ticks from the first that was heard
    heard: int  # of them


def viewed(agent: Agent, pairs: int, ticks: int, *, every: bool = False, stopped: bool = False) -> Viewed:
    """An agent that learns and has learned a while, with a reader and without, in turns.

    `every`: the reader is told of every tick, and not only of as many a second as a view can draw.
    """
    with folder() as place:
        endpoint = f"ipc://{place}/tap.ipc"
        with Tap(endpoint, agent) as tap, _reader(endpoint) as reader:
            _until_wanted(agent, tap)
            if stopped:
                os.kill(reader.pid, signal.SIGSTOP)
            found = overhead(agent, tap if every else Sparing(tap), pairs, ticks)
            os.kill(reader.pid, signal.SIGCONT)
            time.sleep(0.2)  # the bye after it says how many there were
            tap.close()
            ticks = tap.ticks
            said, _ = reader.communicate(timeout=PATIENCE)
    first, heard = json.loads(said)
    return Viewed(found, ticks - first + 1, heard)


def _until_wanted(agent: Agent, tap: Tap) -> None:
    end_at = time.monotonic() + STARTING
    while "tick" not in tap.wanted:
        if time.monotonic() > end_at:
            raise RuntimeError(f"{tap.url}: nobody listens")
        with agent.watched(by=tap):
            agent.learn(agent.config.plant.action_repeat)
        time.sleep(0.01)


@contextmanager
def _reader(endpoint: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-m", __name__, endpoint], stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def listen(endpoint: str) -> None:
    """Read everything until the tap says bye."""
    with Listener(endpoint, timeout=PATIENCE) as listener:
        seqs = [one.facts.seq for one in listener if isinstance(one.facts, TickFacts)]
    print(json.dumps([seqs[0], len(seqs)]))


if __name__ == "__main__":
    listen(*sys.argv[1:])
