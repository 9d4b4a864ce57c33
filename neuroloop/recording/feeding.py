"""Feeds a controller the stream of a recording: what its plant showed and paid, tick by tick, without the plant."""

from __future__ import annotations

from typing import Any

from gymnasium import Space

from ..checkpoint import Checkpoint
from ..controller import Controller, make_controller
from ..errors import RecordingError
from ..settings import AgentConfig
from .recorded import Recorded

OWN = "controller/"  # before the names of a controller's arrays in a checkpoint


def controller_of(
    start: Checkpoint, config: AgentConfig, spaces: tuple[Space[Any], Space[Any]], seed: int
) -> Controller:
    """A fresh controller in the state that a recorded run began with. Raises `CheckpointError`."""
    controller = make_controller(config, *spaces, seed)
    controller.restore(state_of(start))
    return controller


def state_of(start: Checkpoint) -> dict[str, Any]:
    """A controller's state as a checkpoint holds it."""
    return {name.removeprefix(OWN): array for name, array in start.arrays.items() if name.startswith(OWN)}


class Feeder:
    """Drives `controller` through recorded ticks, `act` and then `learn` for each, as the loop did.

    `within`: whether an episode has begun already.
    """

    def __init__(self, controller: Controller, within: bool) -> None:
        self.controller, self._within = controller, within

    def act(self, recorded: Recorded) -> Any:
        """What is done upon what was seen; an episode that broke off before is left."""
        tick = recorded.tick
        if tick.first and self._within:
            self.controller.abandon()
        self._within = True
        return self.controller.act(tick.observation, tick.reward, first=tick.first)

    def learn(self, recorded: Recorded) -> None:
        """Take what the plant answered. Raises `RecordingError` where that was not recorded, but is needed."""
        outcome = recorded.tick.outcome
        if outcome is None:
            self.controller.abandon()
            self._within = False
        elif outcome.ended:
            if outcome.observation is None and not outcome.terminated:
                raise RecordingError("the last observation of its episode was not recorded")
            self.controller.finish(outcome.observation, outcome.reward, terminated=outcome.terminated)
            self._within = False
