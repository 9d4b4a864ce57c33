"""Replays a recording: a fresh controller is fed what the recorded one saw, and must do the same, bit for bit.

    report = neuroloop.replay("run.mcap")
    report = neuroloop.replay("run.mcap", ["learner.gamma=0.9"])    # and if it had been so?

No environment is made. What a controller does follows from its start, which a recording holds, and from what it is shown
and paid; so a run in real time replays exactly too.
"""

from __future__ import annotations

import contextlib
import time
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from .. import arguments, checkpoint, config
from ..checkpoint import Checkpoint
from ..controller import Controller
from ..errors import BadInput, CheckpointError, ConfigError, NeuroloopError, RecordingError
from ..settings import AgentConfig
from .changed import Changed, Changes
from .comparing import Comparison, Difference
from .digest import digest_of
from .feeding import Feeder, controller_of
from .meta import machine_of
from .reader import Recording
from .recorded import Recorded


class ReplayReport(NamedTuple):
    """What came of a replay."""

    file: str
    agent: str
    env: str
    seed: int
    ticks: int  # replayed
    episodes: int  # that ended in them
    wall_s: float
    differing: int  # ticks in which anything differs
    first: Difference | None  # where it begins
    first_far: Difference | None  # by more than 1e-5
    weights_equal: bool | None  # all of the controller's state at the end, by digest; None: not compared
    stopped: str | None  # why it could not be replayed to the end
    damaged: bool  # whether that is because the file is
    elsewhere: str | None  # how versions or machine are others than those it was recorded with
    changed: Changed | None  # what another rule or network does with the same stream

    @property
    def exact(self) -> bool:
        """Whether every bit was as recorded, as far as it could be replayed."""
        compared = self.ticks > 0 or self.weights_equal is not None
        return compared and self.first is None and self.weights_equal is not False

    @property
    def same(self) -> bool:
        """Whether it is the recorded run: exact, or where versions or machine differ, equal to 1e-5."""
        if self.stopped is not None and not self.ticks:
            return False
        return self.exact or (self.elsewhere is not None and self.first_far is None)


def replay(
    recording: Recording | str | Path, overrides: Iterable[str] = (), agent: str | Path | None = None
) -> ReplayReport:
    """Replay a recording and compare; with `overrides` (settings) or another `agent`, also tell what that changes.

    Raises `RecordingError` for a file that cannot be replayed at all, `BadInput` for settings that do not fit.
    """
    recording = Recording(recording) if isinstance(recording, str | Path) else recording
    settings = arguments.overrides("overrides", overrides)
    with _said(recording):
        start = checkpoint.parse(recording.start, f"{recording.path}: its start")
        own = config.from_dict(tomllib.loads(start.toml))
        seed = checkpoint.require_count(start.facts, "seed")
        controller = controller_of(start, own, recording.spaces, seed)
    changes = None
    if settings or agent is not None:
        other = config_with(own, settings, agent)
        changes = Changes(controller, start, own, other, recording.spaces, seed)
    return _Replay(recording, start, controller, changes).run()


def config_with(own: AgentConfig, overrides: list[str], agent: str | Path | None) -> AgentConfig:
    """The recorded configuration, or another agent's, with other settings. Raises `BadInput`."""
    for setting in overrides:
        if setting.partition("=")[0].strip().split(".")[0] == "plant":
            raise BadInput(f"--set {setting}: a replay has no plant, only what was recorded of it")
    if agent is not None:
        from ..agent import read_config

        return read_config(agent, overrides)[1]
    table = tomllib.loads(config.to_toml(own))
    for setting in overrides:
        config.apply(table, setting)
    return config.from_dict(table)


class _Replay:
    """One pass through a recording."""

    def __init__(
        self, recording: Recording, start: Checkpoint, controller: Controller, changes: Changes | None
    ) -> None:
        self._recording, self._start, self._changes = recording, start, changes
        self._feeder = Feeder(controller, "actions" in start.arrays)
        self._comparison = Comparison(controller)
        self._stopped: str | None = None
        self._damaged = False

    def run(self) -> ReplayReport:
        began, ticks, episodes, differing = time.perf_counter(), 0, 0, 0
        first: Difference | None = None
        far: Difference | None = None
        for recorded in self._ticks():
            if not ticks:
                with _said(self._recording):
                    self._comparison.check(recorded)
            found = self._turn(recorded)
            ticks += 1
            differing += bool(found)
            first = first or next(iter(found), None)
            far = far or next((one for one in found if one.far), None)
            episodes += recorded.tick.outcome is not None and recorded.tick.outcome.ended
            if self._stopped is not None:
                break
        start, recording = self._start, self._recording
        return ReplayReport(
            str(recording.path), str(start.facts.get("agent")), str(start.facts.get("env")), int(start.facts["seed"]), ticks,
            episodes, time.perf_counter() - began, differing, first, far, self._weights(), self._stopped, self._damaged,
            elsewhere(recording.meta), None if self._changes is None else self._changes.told(),
        )  # fmt: skip

    def _turn(self, recorded: Recorded) -> list[Difference]:
        """What differs in a tick."""
        found: list[Difference] = []
        try:
            action = self._feeder.act(recorded)
            found = self._comparison.differences(recorded, action)
            if self._changes is not None:
                self._changes.act(recorded, action)
            self._feeder.learn(recorded)
        except RecordingError as missing:
            self._stopped = f"tick {recorded.tick.tick}: {missing}"
            return found
        except NeuroloopError as error:  # the recorded one went on
            self._stopped = f"tick {recorded.tick.tick}: {error}"
            tick = recorded.tick
            return [*found, Difference(tick.tick, tick.episode, "the control step", "went on", f"fails: {error}", True)]
        if self._changes is not None:
            self._changes.learn(recorded)
        return found

    def _ticks(self) -> Iterator[Recorded]:
        """Ticks in order, as far as none is missing."""
        due, latest = 0, "none"
        try:
            for recorded in self._recording.ticks():
                if recorded.seq != due:
                    n, self._damaged = recorded.seq - due, self._recording.lost_parts > 0
                    what = (
                        "are missing, since the file was damaged before it was recovered,"
                        if self._damaged
                        else "were dropped"
                    )
                    self._stopped = f"ticks that {what} after {latest} ({n} of them)"
                    return
                due, latest = due + 1, f"tick {recorded.tick.tick}"
                yield recorded
        except RecordingError as error:
            self._stopped, self._damaged = str(error), True
            return
        if not self._recording.complete:
            self._damaged = self._recording.lost_parts > 0
            self._stopped = f"{latest}, where the recording ends early"

    def _weights(self) -> bool | None:
        digest = self._recording.digest
        if digest is None or self._stopped is not None:
            return None
        return digest_of(self._feeder.controller.state()) == digest


def elsewhere(meta: dict[str, str]) -> str | None:
    """How versions and machine are others than those of a recording, in words."""
    try:
        versions = msgspec.json.decode(meta.get("versions", "{}"), type=dict[str, str])
        machine = msgspec.json.decode(meta.get("machine", "{}"), type=dict[str, str])
    except msgspec.DecodeError:
        return "it does not say with which versions it was recorded"
    then = versions | {name: machine.get(name, "") for name in ("machine", "system", "processor")}
    now = checkpoint.facts_of_versions() | machine_of()
    other = [f"{name} {then.get(name) or 'unknown'} (now {here})" for name, here in now.items()
             if name in then and then[name] != here]  # fmt: skip
    return ", ".join(other) or None


@contextlib.contextmanager
def _said(recording: Recording) -> Iterator[None]:
    """What is wrong with a recording's start, or its parts, is said of its file."""
    try:
        yield
    except (CheckpointError, ConfigError, RecordingError, tomllib.TOMLDecodeError, RecursionError) as error:
        said = str(error)
        raise RecordingError(said if said.startswith(str(recording.path)) else f"{recording.path}: {said}") from None
