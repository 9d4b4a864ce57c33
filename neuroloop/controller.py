"""What stands between an observation and an action: encoder, network, learner and decoder as one object."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from gymnasium import Space
from numpy.typing import NDArray

from .assembly import assemble
from .decoders.catalogue import code_for
from .decoders.decoded import Decoded
from .encoders.normaliser import OBSERVATION
from .encoders.observation import layout_of
from .errors import BadInput, CheckpointError, DivergedError, PlantError
from .graph import Mode
from .network.engine import Engine, State
from .settings import AgentConfig, LinearConfig, RandomConfig, SpikingConfig
from .walk import MOST

PATIENCE = 4  # times the length of a warm-up that a whole episode is waited for


class Controller(Protocol):
    """Decides, and learns from what came of it. See `neuroloop.learning` for what a reward pays for."""

    @property
    def spikes(self) -> float:
        """Spikes fired so far."""

    def act(self, observation: Any, reward: float, *, first: bool) -> Any:
        """The action for `observation`; learns from the `reward` that answered the action before.

        `first` says that an episode begins; `reward` is not used then.
        """

    def finish(self, observation: Any, reward: float, *, terminated: bool) -> None:
        """Learn from the last reward of an episode that terminated, or was cut off at `observation`."""

    def abandon(self) -> None:
        """An episode broke off: its last action will never be answered. Traces end, nothing is learned."""

    def predict(self, observation: Any, state: State | None) -> tuple[Any, State]:
        """The action without learning or exploring, and the transient state after it; `state` None begins an episode."""

    def state(self) -> State:
        """A copy of everything that `act` and `finish` change, as arrays."""

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned. Raises `CheckpointError` if it does not fit."""


def make_controller(
    config: AgentConfig, observation_space: Space[Any], action_space: Space[Any], seed: int
) -> Controller:
    """The controller of an agent for a plant's spaces."""
    if isinstance(config, RandomConfig):
        return RandomController(action_space, seed)
    return SpikingController(config, observation_space, action_space, seed)


class SpikingController:
    """A network that the configuration describes; `linear` agents are one without spikes."""

    def __init__(
        self, config: SpikingConfig | LinearConfig, observation_space: Space[Any], action_space: Space[Any], seed: int
    ) -> None:
        self._layout = layout_of(observation_space)
        self._shape = observation_space.shape or f"what {observation_space} holds"
        self._discrete = bool(self._layout.levels.any())
        self._code = code_for(config.decoder, action_space)
        self._reward = config.reward
        self._warm_up = config.warm_up.decisions
        self.network: Engine = assemble(config, self._layout, self._code, seed)
        self._raw = self.network.view(OBSERVATION)
        self._decoded = Decoded(self._code, self.network)

    @property
    def spikes(self) -> float:
        return self.network.signal("spikes")

    def act(self, observation: Any, reward: float, *, first: bool) -> Any:
        self._sense(observation)
        mode, fresh = self.mode(first)
        paid = 0.0 if first else self.paid(reward)
        self.network.run(mode, reward=paid, first=first, fresh=fresh)
        if not math.isfinite(self.network.signal("td_error")):
            raise diverged()
        return self.action()

    def mode(self, first: bool) -> tuple[Mode, bool]:
        """What the next control step is for, and whether the network starts from rest."""
        if self.awake:
            return Mode.ACT, first
        signal, wanted = self.network.signal, self._warm_up
        decisions = signal("return.count") + (not first)
        seen = signal("success.episodes") > 0 or (first and decisions > 0) or decisions >= PATIENCE * wanted
        return (Mode.ACT if decisions >= wanted and seen else Mode.WARM_UP), True

    @property
    def awake(self) -> bool:
        """Whether learning began: the warm-up is over."""
        return self.network.signal("awake") != 0.0

    def finish(self, observation: Any, reward: float, *, terminated: bool) -> None:
        if terminated:
            mode = Mode.TERMINATE if self.awake else Mode.CLOSE_WARM_UP
            self.network.run(mode, reward=self.paid(reward, terminated=True), ended=True)
        else:
            self.act(observation, reward, first=False)
            self.abandon()

    def abandon(self) -> None:
        if self.awake:
            self.network.run(Mode.CLOSE, ended=True)

    def predict(self, observation: Any, state: State | None) -> tuple[Any, State]:
        if state is not None and not self.network.fits(state):
            raise BadInput("predict: `state` must be what an earlier call of this agent returned, or None")
        with self.network.visiting(state):
            self._sense(observation)
            self.network.run(Mode.LOOK, first=state is None, fresh=state is None)
            return self.action(), self.network.transient()

    def state(self) -> State:
        return self.network.state()

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self.network.restore(state)

    def _sense(self, observation: Any) -> None:
        """Hand the observation to the network."""
        self._raw[:] = self.flat(observation)
        if not np.abs(self._raw).sum() < MOST:
            self.check_finite(self._raw)

    def flat(self, observation: Any) -> NDArray[np.float64]:
        """The observation as numbers. Raises `PlantError` for what is no observation of this plant."""
        levels = self._layout.levels
        try:
            flat = np.asarray(self._layout.flatten(observation), np.float64)
        except (TypeError, ValueError, KeyError, IndexError) as error:
            raise PlantError(f"the observation {observation!r} does not fit its space: {error}") from None
        if flat.shape != levels.shape:
            raise PlantError(f"the observation has shape {np.shape(observation)}, expected {self._shape}")
        if self._discrete and not ((levels == 0) | ((flat >= 0) & (flat < levels))).all():
            self.check_finite(flat)
            raise PlantError(f"the observation {observation!r} lies outside its space")
        return flat

    def check_finite(self, flat: NDArray[np.float64]) -> None:
        """Raise `PlantError` with the name of a dimension that is not finite, or beyond all measure."""
        for name, value in zip(self._layout.names, flat, strict=True):
            if not abs(value) < MOST:
                raise PlantError(f"{name} is {value}; observations must be finite")

    def paid(self, reward: float, *, terminated: bool = False) -> float:
        """What the learner is paid for a reward of the plant."""
        paid = self._reward.scale * reward + (self._reward.on_termination if terminated else 0.0)
        if not abs(paid) < MOST:
            raise PlantError(f"the reward is {reward}; rewards must be finite")
        return paid

    def action(self) -> Any:
        """What was decided in the latest control step."""
        return self._decoded()


def diverged() -> DivergedError:
    """What to say of a TD error that is not finite."""
    return DivergedError("the TD error is no longer finite; smaller gains, or a fixed value range, may help")


class RandomController:
    """Draws actions uniformly from the action space. Learns nothing."""

    def __init__(self, action_space: Space[Any], seed: int) -> None:
        self._space, self._seed, self._n = copy.deepcopy(action_space), seed, 0  # the user's own keeps its seed

    spikes = 0.0

    def act(self, observation: Any, reward: float, *, first: bool) -> Any:
        self._n += 1
        return self._draw(0, self._n)

    def finish(self, observation: Any, reward: float, *, terminated: bool) -> None:
        pass

    def abandon(self) -> None:
        pass

    def predict(self, observation: Any, state: State | None) -> tuple[Any, State]:
        n = 1 if state is None else int(state["n"][0]) + 1
        return self._draw(1, n), {"n": np.array([n])}

    def _draw(self, stream: int, n: int) -> Any:
        self._space.seed(int(np.random.SeedSequence([self._seed, stream, n]).generate_state(1)[0]))
        return self._space.sample()

    def state(self) -> State:
        return {"n": np.array([self._n])}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        if "n" not in state or state["n"].shape != (1,) or state["n"].dtype.kind != "i" or state["n"][0] < 0:
            raise CheckpointError("controller: array 'n' should be one number")
        self._n = int(state["n"][0])
