"""Kills who records, who writes, or what is driven, at some moment, and looks what is left of the recording."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Literal, NamedTuple

from mcap.reader import make_reader
from mcap.records import Channel

from ..recording.channels import TICK
from ..recording.reader import Recording
from ..recording.recover import recover
from ..recording.scan import Message, within
from .kills import ENV, Plant

RUN = """
import sys; sys.path[:] = {path!r}
from neuroloop.evaluation.recording_kills import run; run({file!r}, {pause}, {agent!r}, {endpoint!r})
"""
DONE = ".progress"  # of a file beside the recording: ticks that were done, and that the writer had taken, as int64
AWAY = 0.5  # s without an answer, after which a plant counts as gone
PATIENCE = 60.0  # s that a controller may take to end by itself
Who = Literal["recorder", "controller", "plant"]


class Trial(NamedTuple):
    """What was left."""

    done: int  # ticks that were done when it happened
    taken: int  # of which the process that writes had taken so many
    ticks: int  # that can be read
    lost_chunks: float  # what was taken and cannot be read, in ticks of the largest chunk
    writer_is_gone: bool
    whole: Path  # the recovered file


def trial(path: Path, who: Who, seconds: float, steps_per_s: float, agent: str = "cartpole") -> Trial:
    """Record an agent on CartPole for so long at so many steps a second, kill `who`, and recover the file.

    A plant is served over a link; where it is killed, the controller gives up by itself. Raises `RecordingError` if nothing
    can be recovered.
    """
    with contextlib.ExitStack() as stack:
        plant, endpoint = None, ""
        if who == "plant":
            endpoint = f"ipc://{path.parent}/plant/plant.ipc"
            plant = Plant(endpoint)
            stack.callback(plant.end)
        code = RUN.format(path=sys.path, file=str(path), pause=1.0 / steps_per_s, agent=agent, endpoint=endpoint)
        controller = subprocess.Popen([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE)
        stack.callback(_end, controller)
        assert controller.stdout is not None
        writer = int(controller.stdout.readline())
        time.sleep(seconds)
        if plant is not None:
            plant.end()
            controller.wait(PATIENCE)
        else:
            os.kill(writer if who == "recorder" else controller.pid, signal.SIGKILL)
        done, taken = struct.unpack("<qq", path.with_suffix(DONE).read_bytes())
        gone = _gone(writer)
    return _left(path, done, taken, gone)


def _left(path: Path, done: int, taken: int, gone: bool) -> Trial:
    found = recover(path)
    ticks = len(list(Recording(found.path).ticks()))
    if ticks != found.ticks:
        raise AssertionError(f"{found.path}: {found.ticks} were recovered, {ticks} can be read")
    lost = max(0, taken - ticks)  # whoever is gone later than the other may still have written
    return Trial(done, taken, ticks, lost / _most_ticks(Recording(path)), gone, found.path)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


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


def ticks_by_stock_reader(path: Path) -> int:
    """How many ticks mcap's own reader finds, by the file's index and with its checksums."""
    with path.open("rb") as file:
        return sum(1 for _ in make_reader(file, validate_crcs=True).iter_messages(topics=[TICK]))


def rerun() -> str | None:
    """Rerun's program, if it is installed."""
    return shutil.which("rerun") or shutil.which("rerun", path=Path(sys.executable).parent)


def converts(program: str, path: Path) -> bool:
    """Whether Rerun makes a file of its own of it."""
    made = path.with_suffix(".rrd")
    done = subprocess.run([program, "mcap", "convert", str(path), "-o", str(made)], capture_output=True)
    return done.returncode == 0 and made.exists() and made.stat().st_size > 0


def run(file: str, pause: float, name: str, endpoint: str) -> None:
    """What is killed: an agent that is recorded for ever, or until its plant is gone."""
    from ..agent import load_agent
    from ..errors import LinkError
    from ..link.remote import RemoteEnv
    from ..recording.recorder import Recorder
    from ..types import Tick

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

    env: Any = RemoteEnv(endpoint, timeout=AWAY, patience=0.0) if endpoint else ENV
    agent = load_agent(name, env)
    with Recorder(file, agent) as recorder, agent.watched(by=recorder), agent.watched(by=Progress()):
        print(recorder.pid, flush=True)
        with contextlib.suppress(LinkError):
            agent.learn(2**40)
