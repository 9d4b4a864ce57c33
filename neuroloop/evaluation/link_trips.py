"""What a step over the link costs, beside the same number of bytes over bare pyzmq, and what coding alone costs.

Both go to a process of their own and back over ipc, in turns of a few at a time: what the machine does meanwhile happens to
both.

    python -m neuroloop.evaluation.link_trips ENDPOINT HEADER BODY     the other end of the bare line
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import zmq
from gymnasium import spaces

from ..link import messages
from ..link.messages import Outcome, Step
from ..link.remote import RemoteEnv
from ..link.values import Values
from .link_processes import folder, served, started

TURN = 30  # trips before the other has its turn
CODED = 67_000 // 4  # float32 of the message that is coded
ACTION = 8  # bytes


class Trips(NamedTuple):
    """Medians of each turn, µs, and every single trip of ours."""

    ours: list[float]
    bare: list[float]
    single: list[float]


def trips(n_floats: int, turns: int) -> Trips:
    """`RemoteEnv.step` in lockstep and a bare DEALER to ROUTER echo of headers and arrays of the same sizes, in turns."""
    asked, told = (len(messages.packed(header)) for header in _headers())
    with folder() as place:
        ends = f"ipc://{place}/plant.ipc", f"ipc://{place}/echo.ipc"
        with served(ends[0], n=n_floats), started("-m", __name__, ends[1], told, 4 * n_floats):
            env, line = RemoteEnv(ends[0]), _dealer(ends[1])
            env.reset(seed=0)
            message = [bytes(asked), bytes(ACTION)]

            def bare() -> None:
                line.send_multipart(message)
                line.recv_multipart()

            found = Trips([], [], [])
            for turn in range(turns + 1):
                ours, theirs = _timed(lambda: env.step(1)), _timed(bare)
                if turn:  # the first is to warm up
                    found.ours.append(float(np.median(ours)))
                    found.bare.append(float(np.median(theirs)))
                    found.single.extend(ours)
            env.close()
            line.close(0)
    return found


def coding(repeats: int) -> list[float]:
    """CPU time (µs) of writing and reading an outcome of 67 kB, header and observation. The least of each of `repeats`."""
    values = Values(spaces.Box(-1.0, 1.0, (CODED,), np.float32))
    observation, outcome = np.linspace(-1.0, 1.0, CODED, dtype=np.float32), _headers()[1]

    def both() -> None:
        header = messages.packed(outcome)
        values.write(observation)
        messages.from_plant(header)
        values.read(sent)

    sent = [bytes(values.write(observation)[0])]  # as the socket hands it over
    found = []
    for _ in range(repeats):
        begun = time.process_time_ns()
        for _ in range(500):
            both()
        found.append((time.process_time_ns() - begun) / 500e3)
    return found


def _headers() -> tuple[Step, Outcome]:
    """Headers of the size that they have in use."""
    now, session = time.monotonic_ns(), 1 << 61
    return (
        Step(session=session, seq=50_000, t_ns=now, tick=50_000),
        Outcome(session=session, seq=50_000, ack=50_000, t_ns=now, echo_ns=now, tick=50_000),
    )


def _timed(trip: Callable[[], Any]) -> list[float]:
    stamps = [time.perf_counter_ns()]
    for _ in range(TURN):
        trip()
        stamps.append(time.perf_counter_ns())
    return [float(x) for x in np.diff(stamps) / 1e3]


def _dealer(url: str) -> zmq.Socket[bytes]:
    made: Any = zmq.Context.instance().socket(zmq.DEALER)
    made.connect(url)
    return made  # type: ignore[no-any-return]


def echo(url: str, header: int, body: int) -> None:
    """Answer every message by a header and an array, for ever."""
    router: Any = zmq.Context.instance().socket(zmq.ROUTER)
    router.bind(url)
    answer = [bytes(header), np.zeros(body, np.uint8)]
    while True:
        identity, *_ = router.recv_multipart()
        router.send_multipart([identity, *answer])


if __name__ == "__main__":
    echo(sys.argv[1], *map(int, sys.argv[2:]))
