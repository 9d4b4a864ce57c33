"""Whether loops in real time allocate what stays, or collect garbage.

The environment looks at its process's memory while the loop runs: blocks that Python has allocated, bytes in memory, collections.
What stays from the first look to the last, one tick of many times `LOOK_EVERY` later, has grown. Over one episode without
end: an episode that ends adds its return and length to the run's, two numbers.

    python -m neuroloop.evaluation.link_memory ENDPOINT LOG     a plant in real time that looks at itself
"""

from __future__ import annotations

import gc
import signal
import sys
from pathlib import Path
from typing import NamedTuple

from ..link.remote import RemoteEnv
from ..link.server import PlantServer
from ..loop.paced import Paced
from ..loop.priority import undisturbed
from . import link_cases as cases
from .engine_cases import B2
from .link_processes import STARTING, folder, started, until

PERIOD = 0.0005  # s
WARM = 2  # looks before the first that counts


class Growth(NamedTuple):
    """From the first look to the last."""

    ticks: int
    blocks: int
    bytes: int
    collections: int
    garbage: int | None = None  # objects that the collector found afterwards

    @property
    def blocks_per_tick(self) -> float:
        """Blocks that stay, of a tick."""
        return self.blocks / self.ticks


def paced(ticks: int) -> Growth:
    """An agent as large as B2 and its environment at its own speed, in one process."""
    with folder() as place:
        log = cases.Log(place / "log", make=True)
        env = Paced(cases.Silent(B2.sizes[0], PERIOD, str(place / "log"), look=True))
        agent = cases.agent(B2, env)
        agent.learn(WARM * cases.LOOK_EVERY)
        with undisturbed(fifo=False):
            agent.learn(ticks)
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
            while log.n < ticks + WARM * cases.LOOK_EVERY:
                env.step(1)
            env.close()
            process.send_signal(signal.SIGTERM)
            process.wait(STARTING)
        return growth(log)


def growth(log: cases.Log, garbage: int | None = None) -> Growth:
    """What grew between the looks of a log."""
    columns = [log.column(name) for name in ("blocks", "rss", "collections")]
    looks = columns[0].nonzero()[0][WARM - 1 :]
    first, last = int(looks[0]), int(looks[-1])
    return Growth(last - first, *(int(column[last] - column[first]) for column in columns), garbage)


def serve(endpoint: str, path: str) -> None:
    """Serve the plant until SIGTERM."""
    env = cases.Silent(B2.sizes[0], PERIOD, str(Path(path)), look=True)
    with PlantServer(env, endpoint, cases.ENV_ID) as server:
        signal.signal(signal.SIGTERM, lambda *_: server.stop())
        server.serve_in_real_time()


if __name__ == "__main__":
    serve(*sys.argv[1:])
