"""What only a picture of a run asks for: weights, and what an event camera sees. Nothing is read while nobody asks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from ...controller import SpikingController
from ...network.engine import Engine
from ...sensors.space import EventSpace
from ...sensors.wrapper import EventCameraWrapper
from .. import messages
from .facts import MOST_SIDE, SIGHT, WEIGHTS, SightFacts, WeightsFacts
from .gathering import body_of
from .publishing import Teller

if TYPE_CHECKING:
    from ...agent import Agent

BETWEEN_WEIGHTS = 2_000_000_000  # ns apart at least
BETWEEN_SIGHTS = 20_000_000  # a picture shows the events of the latest control step, and nobody sees faster
BETWEEN_FRAMES = 100_000_000
DISPLAY = 1.0 / 2.2  # power that makes a byte of light


class Looks:
    """Weights of the network, the camera before the encoder."""

    def __init__(self, agent: Agent) -> None:
        controller = agent.controller
        self._network = controller.network if isinstance(controller, SpikingController) else None
        self._camera = camera_of(agent.env)
        self._events_too = self._camera is not None and not holds_events(agent.env.observation_space)
        self._weighed = self._seen = self._framed = 0  # when each went out

    def show(self, publisher: Teller, tick: int, now_ns: int) -> None:
        """Publish what is due and asked for."""
        if self._camera is not None and SIGHT in publisher.wanted and now_ns - self._seen >= BETWEEN_SIGHTS:
            self._seen = now_ns
            self._see(self._camera, publisher, tick, now_ns)
        if self._network is not None and WEIGHTS in publisher.wanted and now_ns - self._weighed >= BETWEEN_WEIGHTS:
            self._weighed = now_ns
            self._weigh(self._network, publisher, tick)

    def _see(self, camera: EventCameraWrapper, publisher: Teller, tick: int, now_ns: int) -> None:
        due = camera.latest_frame is not None and now_ns - self._framed >= BETWEEN_FRAMES
        events = camera.latest_events if self._events_too else camera.latest_events[:0]
        if not due and not events.size:
            return
        frame = displayed(camera.latest_frame) if due and camera.latest_frame is not None else None
        self._framed = now_ns if due else self._framed
        width, height = camera.camera.width, camera.camera.height
        facts = SightFacts(
            **publisher.head(SIGHT), tick=tick, width=width, height=height, n_events=events.size,
            shape=() if frame is None else frame.shape,
        )  # fmt: skip
        seen = [np.ascontiguousarray(events).view(np.uint8), *([] if frame is None else [frame])]
        publisher.send([SIGHT, messages.packed(facts), body_of(seen)])

    def _weigh(self, network: Engine, publisher: Teller, tick: int) -> None:
        whole = weights_of(network)
        some = {name: picked(weights) for name, weights in whole.items()}
        facts = WeightsFacts(
            **publisher.head(WEIGHTS), tick=tick, shapes={name: part.shape for name, part in some.items()},
            whole={name: weights.shape for name, weights in whole.items()},
        )  # fmt: skip
        publisher.send([WEIGHTS, messages.packed(facts), body_of(list(some.values()))])


def weights_of(network: Engine) -> dict[str, NDArray[Any]]:
    """Views (inputs, neurons) of weights as they are stored, by projection; of growing ones the rows in use.

    What the few rows with live eligibility are owed is not in them: paying them would change the run that is watched.
    """
    pattern = re.compile(r"(?:projection|readout)\.(.+)\.weights")
    found = {match[1]: network.view(name) for name in network.names if (match := pattern.fullmatch(name))}
    found |= {match[1]: network.rows_of(name) for name in network.growing if (match := pattern.fullmatch(name))}
    return {name: weights for name, weights in found.items() if weights.ndim == 2}


def picked(weights: NDArray[Any]) -> NDArray[np.float32]:
    """At most MOST_SIDE rows and columns, evenly picked; a copy."""
    rows, columns = (max(1, -(-n // MOST_SIDE)) for n in weights.shape)
    return np.array(weights[::rows, ::columns], "<f4")


def displayed(frame: NDArray[Any]) -> NDArray[np.uint8]:
    """A camera's frame as bytes to look at: bytes as they are, light from 0 to its brightest."""
    if frame.dtype == np.uint8:
        return np.ascontiguousarray(frame)
    light = np.nan_to_num(np.asarray(frame, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    brightest = max(float(light.max(initial=0.0)), 1e-9)
    return np.asarray(255.0 * np.clip(light / brightest, 0.0, 1.0) ** DISPLAY, np.uint8)


def camera_of(env: gymnasium.Env[Any, Any]) -> EventCameraWrapper | None:
    """The event camera before an environment, in this process."""
    while isinstance(env, gymnasium.Wrapper):
        if isinstance(env, EventCameraWrapper):
            return env
        env = env.env
    return None


def holds_events(space: gymnasium.Space[Any]) -> bool:
    """Whether observations of a space hold event packets."""
    parts = space.spaces.values() if isinstance(space, spaces.Dict) else [space]
    return any(isinstance(part, EventSpace) for part in parts)
