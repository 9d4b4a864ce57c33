"""Whether loops in real time allocate what stays, or collect garbage.

The environment looks at its process's memory while the loop runs: blocks that Python has allocated, bytes in memory,
collections. Growth of blocks is the median between two looks: what is allocated once and kept, as a number that outgrew those
of which Python has one each, is in the total only. All within one episode: one that ends adds its return and its length to
the run's.

    python -m neuroloop.evaluation.link_memory ENDPOINT LOG     a plant in real time that looks at itself
"""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..link.remote import RemoteEnv
from ..link.server import PlantServer
from ..loop.paced import Paced
from ..loop.priority import undisturbed
from . import link_cases as cases
from .engine_cases import B2
from .link_processes import STARTING, folder, started, until

PERIOD = 0.0005  # s
WARM = 3  # looks before the first that counts


class Growth(NamedTuple):
    """From the first look to the last."""

    ticks: int
    blocks: int
    blocks_per_tick: float  # median
    bytes: int
    collections: int
    garbage: int | None = None  # objects that the collector found afterwards


def paced(ticks: int) -> Growth:
    """An agent as large as B2 and its environment at its own speed, in one process."""
    with folder() as place:
        log = cases.Log(place / "log", make=True)
        env = Paced(cases.Silent(B2.sizes[0], PERIOD, str(place / "log"), look=True))
        agent = cases.agent(B2, env)
        agent.learn(WARM * cases.LOOK_EVERY)
        with undisturbed(fifo=False):
            agent.learn(ticks + cases.LOOK_EVERY)
            garbage = gc.collect()
        return growth(log, garbage)


def served(ticks: int) -> Growth:
    """A plant that keeps its own time in a process of its own, driven over the link."""
    with folder() as place:
        endpoint, log = f"ipc://{place}/plant.ipc", cases.Log(place / "log", make=True)
        with started("-m", __name__, endpoint, place / "log") as process:
            until((place / "plant.ipc").exists, process)
            env = RemoteEnv(endpoint)
            env.reset()
            while log.n < ticks + (WARM + 1) * cases.LOOK_EVERY:
                env.step(1)
            env.close()
            process.send_signal(signal.SIGTERM)
            process.wait(STARTING)
        return growth(log)


def growth(log: cases.Log, garbage: int | None = None) -> Growth:
    """What grew between the looks of a log."""
    blocks, rss, collections = (log.column(name) for name in ("blocks", "rss", "collections"))
    looks = blocks.nonzero()[0][WARM:]
    grown = [int(np.ptp(looks)), *(int(column[looks[-1]] - column[looks[0]]) for column in (blocks, rss, collections))]
    per_tick = float(np.median(np.diff(blocks[looks]))) / cases.LOOK_EVERY
    return Growth(grown[0], grown[1], per_tick, grown[2], grown[3], garbage)


def serve(endpoint: str, path: str) -> None:
    """Serve the plant until SIGTERM."""
    env = cases.Silent(B2.sizes[0], PERIOD, str(Path(path)), look=True)
    with PlantServer(env, endpoint, cases.ENV_ID) as server:
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        server.serve_in_real_time()


if __name__ == "__main__":
    serve(*sys.argv[1:])
