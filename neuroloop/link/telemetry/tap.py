"""A tap: tells whoever listens of every turn of the ring, and never waits for them.

    with Tap("ipc:///tmp/run/tap.ipc", agent) as tap, agent.watched(tap):
        agent.learn(100_000)

What it publishes is told in `docs/telemetry.md`. While nobody listens, nothing is gathered.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import arguments
from ...activity import Activity
from ...loop.eyes import PICTURES
from ...loop.plant import step_time
from ...loop.timing import TIMING
from ...types import LINK, Tick, Timed
from .. import keys as keyring
from .. import messages
from ..values import Frame
from .facts import (
    EPISODE,
    PICTURE,
    RUN,
    TELEMETRY,
    TICK,
    EpisodeFacts,
    PictureFacts,
    RunFacts,
    TickFacts,
)
from .gathering import Joined, Travelling, body_of, sizes_of
from .looks import Looks
from .publishing import Teller

if TYPE_CHECKING:
    from ...agent import Agent

LARGE = 1 << 16  # bytes of an observation, beyond which it is published
PLAIN = int | float | str | None  # what is passed on of what a link tells
BETWEEN_LARGE = 100_000_000  # ns apart at least


class Tap:
    """Publishes what `agent` does at `endpoint`.

    `pictures`: the most a second of what the environment renders, for readers who ask for them; each costs the loop a
    rendering. `keys`: the folder of our own, needed where other machines can reach the endpoint. Raises `BadInput`.
    """

    def __init__(
        self, endpoint: str, agent: Agent, *, pictures: float | None = None, keys: str | Path | None = None
    ) -> None:
        rate = 0.0 if pictures is None else arguments.positive("pictures", pictures, "Hz")
        self._agent, self._env, self._activity = agent, agent.env, Activity(agent.controller)
        self._observations, self._actions = Travelling(self._env.observation_space), Travelling(self._env.action_space)
        self._counts, self._cells = Joined(self._activity.counts), Joined(self._activity.cells)
        self._pictures = rate if self._env.render_mode == PICTURES else 0.0
        self._between_pictures = round(1e9 / rate) if rate else 0
        self._period_ns = round(1e9 * (step_time(self._env) or 0.0) * agent.loop.plant.repeat)
        self._shown = self._large = 0  # when the latest picture and the latest large observation went out
        self._looks = Looks(agent)
        self._publisher = Teller(endpoint, None if keys is None else keyring.read(Path(keys)))

    @property
    def url(self) -> str:
        """Where it publishes."""
        return self._publisher.url

    @property
    def wanted(self) -> frozenset[str]:
        """What somebody listens to, as was seen at the latest tick."""
        return frozenset(topic.decode() for topic in self._publisher.wanted)

    @property
    def pictures(self) -> float:
        """The most pictures a second that readers may ask for; 0 where the environment renders none."""
        return self._pictures

    @property
    def ticks(self) -> int:
        """Ticks that were told, heard or not."""
        return self._publisher.told(TICK)

    @property
    def overflows(self) -> int:
        """How often a reader's queue ran full. How many ticks it missed only the reader can count."""
        return self._publisher.overflows

    def put(self, tick: Tick) -> bool:
        """Tell of a turn of the ring; False: the queue of a reader ran full just now."""
        publisher, now = self._publisher, time.monotonic_ns()
        if publisher.closed:
            return False
        if publisher.due(now):
            publisher.send([RUN, messages.packed(self._run())])
        seq, went = publisher.number(TICK), True
        if TICK in publisher.wanted:
            went = publisher.send(self._message(tick, seq, now))
        if self._pictures and PICTURE in publisher.wanted and now - self._shown >= self._between_pictures:
            self._shown = now
            self._show(tick.tick)
        self._looks.show(publisher, tick.tick, now)
        return went

    def close_episode(self, episode: int, episode_return: float, n_steps: int) -> None:
        """Tell of an episode's end."""
        if self._publisher.closed:
            return
        head, progress = self._publisher.head(EPISODE), self._agent.progress
        if EPISODE in self._publisher.wanted:
            facts = EpisodeFacts(
                **head, episode=episode, episode_return=episode_return, n_steps=n_steps,
                mean_return=progress.mean_return, steps=progress.steps,
            )  # fmt: skip
            self._publisher.send([EPISODE, messages.packed(facts)])

    def _message(self, tick: Tick, seq: int, now: int) -> list[Any]:
        (seen, n_seen), done = self._seen(tick.observation, now), self._actions.write(tick.action)
        counts, cells = self._counts.read(), self._cells.read()
        outcome, names = tick.outcome, self._activity.numbers
        answer = None if outcome is None else outcome.reward
        facts = TickFacts(
            protocol=TELEMETRY, run=self._publisher.run, seq=seq, t_ns=tick.t_ns,
            tick=tick.tick, episode=tick.episode, first=tick.first, reward=tick.reward, answer=answer,
            episode_return=self._agent.progress.episode_return + (answer or 0.0),
            spikes=self._counts.sums(), numbers=dict(zip(names, self._activity.read(), strict=True)),
            observation=n_seen, action=sizes_of(done),
        )  # fmt: skip
        if outcome is not None:
            facts.terminated, facts.truncated, facts.n_steps = outcome.terminated, outcome.truncated, outcome.n_steps
            timed, link = outcome.info.get(TIMING), outcome.info.get(LINK)
            facts.timing = timed._asdict() if isinstance(timed, Timed) else None
            facts.link = {k: v for k, v in link.items() if isinstance(v, PLAIN)} if isinstance(link, dict) else None
        return [TICK, messages.packed(facts), body_of([*seen, *done, counts, cells])]

    def _seen(self, observation: Any, now: int) -> tuple[list[Frame], tuple[int, ...]]:
        """Frames of an observation and their sizes; of a large one only now and then."""
        frames = self._observations.write(observation)
        sizes = sizes_of(frames)
        if sum(sizes) > LARGE:
            if now - self._large < BETWEEN_LARGE:
                return [], ()
            self._large = now
        return frames, sizes

    def _show(self, tick: int) -> None:
        """Publish what the environment renders; if it fails, no more of it: a view must not stop a run."""
        try:
            picture: Any = self._env.render()
        except Exception:
            self._pictures = 0.0
            return
        if isinstance(picture, np.ndarray) and picture.dtype == np.uint8 and picture.ndim in (2, 3):
            facts = PictureFacts(**self._publisher.head(PICTURE), tick=tick, shape=picture.shape)
            self._publisher.send([PICTURE, messages.packed(facts), np.ascontiguousarray(picture)])

    def _run(self) -> RunFacts:
        from ... import __version__

        agent = self._agent
        return RunFacts(
            **self._publisher.head(RUN), source="agent", by=f"neuroloop {__version__}", unix_ns=time.time_ns(),
            agent=agent.name, env=agent.env_id, seed=agent.seed, observation_space=self._observations.spec,
            action_space=self._actions.spec, populations=self._counts.sizes, cells=self._cells.sizes,
            numbers=self._activity.numbers, period_ns=self._period_ns, criterion=agent.progress.criterion,
            pictures=self._pictures,
        )  # fmt: skip

    def close(self) -> None:
        """Say bye. A second call does nothing."""
        self._publisher.close()

    def __del__(self) -> None:
        """Nobody holds it any more: `with agent.watched(Tap(…))`."""
        with contextlib.suppress(AttributeError):  # it could not be made
            self.close()

    def __enter__(self) -> Tap:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
