"""Kills who records, or who writes, at some moment, and looks what is left: for tests and `neuroloop bench recording`."""

from __future__ import annotations

import os
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal, NamedTuple

from mcap.records import Channel

from .channels import TICK
from .reader import Recording
from .recover import recover
from .scan import Message, within

RUN = """
import sys; sys.path[:] = {path!r}
from neuroloop.recording.kill9 import run; run({file!r}, {pause}, {agent!r})
"""
DONE = ".progress"  # of a file beside the recording: ticks that were done, and that the writer had taken, as int64


class Trial(NamedTuple):
    """What was left."""

    done: int  # ticks that were done when it happened
    taken: int  # of which the process that writes had taken so many
    ticks: int  # that can be read
    lost_chunks: float  # what was taken and cannot be read, in ticks of the largest chunk
    writer_is_gone: bool


def trial(
    path: Path, who: Literal["recorder", "controller"], seconds: float, steps_per_s: float, agent: str = "cartpole"
) -> Trial:
    """Record an agent on CartPole for so long at so many steps a second, kill `who`, and recover the file."""
    code = RUN.format(path=sys.path, file=str(path), pause=1.0 / steps_per_s, agent=agent)
    run = subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE)
    assert run.stdout is not None
    writer = int(run.stdout.readline())
    time.sleep(seconds)
    os.kill(writer if who == "recorder" else run.pid, signal.SIGKILL)
    done, taken = struct.unpack("<qq", path.with_suffix(DONE).read_bytes())
    gone = _gone(writer)
    run.kill()
    run.wait()
    run.stdout.close()
    found = recover(path)
    ticks = len(list(Recording(found.path).ticks()))
    if ticks != found.ticks:
        raise AssertionError(f"{found.path}: {found.ticks} were recovered, {ticks} can be read")
    lost = max(0, taken - ticks)  # whoever is gone later than the other may still have written
    return Trial(done, taken, ticks, lost / _most_ticks(Recording(path)), gone)


def _gone(pid: int, patience: float = 10.0) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def _most_ticks(recording: Recording) -> int:
    """In a chunk."""
    tick, most = None, 1
    for chunk in recording.chunks():
        items = list(within(chunk))
        tick = next((item.id for item in items if isinstance(item, Channel) and item.topic == TICK), tick)
        most = max(most, sum(isinstance(item, Message) and item.channel == tick for item in items))
    return most


def run(file: str, pause: float, name: str) -> None:
    """What is killed: an agent that is recorded for ever."""
    from ..agent import load_agent
    from ..types import Tick
    from .recorder import Recorder

    class Progress:
        def __init__(self) -> None:
            self._file, self._n = Path(file).with_suffix(DONE).open("wb", buffering=0), 0
            self._due = time.perf_counter()

        def put(self, tick: Tick) -> bool:
            self._n += 1
            self._file.seek(0)
            self._file.write(struct.pack("<qq", self._n, recorder.written))
            self._due += pause
            time.sleep(max(0.0, self._due - time.perf_counter()))
            return True

        def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
            pass

    agent = load_agent(name, "CartPole-v1")
    with Recorder(file, agent) as recorder, agent.watched(by=recorder), agent.watched(by=Progress()):
        print(recorder.pid, flush=True)
        agent.learn(2**40)
