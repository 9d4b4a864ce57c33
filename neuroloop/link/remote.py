"""A plant at the other end of a link, as a Gymnasium environment: `RemoteEnv`.

    env = RemoteEnv("ipc:///tmp/plant/plant.ipc")

Any agent can be trained through it; in lockstep, with the same bits as in one process.
"""

from __future__ import annotations

import secrets
import time
from typing import Any

import gymnasium
import numpy as np
import zmq
from gymnasium.envs.registration import EnvSpec
from numpy.typing import NDArray

from .. import arguments
from ..errors import LinkError, PlantError
from . import messages
from .endpoint import endpoint_of
from .messages import PROTOCOL, Bye, FromPlant, Hello, Outcome, Picture, Refused, Render, Reset, Step, Welcome
from .sockets import connected, socket_of
from .spaces import rebuild
from .values import Values

TRIES = 4  # within the timeout, a message is sent so often: what arrives twice is applied once


class RemoteEnv(gymnasium.Env[Any, Any]):
    """The environment that a `PlantServer` serves at `endpoint`.

    `timeout`: s without an answer after which a `LinkError` says so. Raises `BadInput` for an endpoint that is none, and
    `LinkError` if nobody is there, if another controller has the plant, or if it speaks another version.
    """

    def __init__(self, endpoint: str, timeout: float = 10.0) -> None:
        self._endpoint, self._timeout = endpoint_of(endpoint), arguments.positive("timeout", timeout, "s")
        self._socket = socket_of(zmq.DEALER, self._endpoint)
        self._session, self._seq, self._tick = 0, 0, 0
        try:
            self._socket.setsockopt(zmq.IMMEDIATE, 1)
            connected(self._socket, self._endpoint)
            welcome = self._say_hello()
            self.observation_space, self.action_space = (
                rebuild(welcome.observation_space),
                rebuild(welcome.action_space),
            )
        except BaseException:
            self._socket.close()
            raise
        self._observations, self._actions = Values(self.observation_space), Values(self.action_space)
        self.render_mode = "rgb_array" if welcome.render else None
        self.metadata = {"render_modes": ["rgb_array"] if welcome.render else []}
        if welcome.period_ns:
            self.dt = 1e-9 * welcome.period_ns
        self.spec = EnvSpec(
            id=welcome.env,
            reward_threshold=welcome.criterion,
            max_episode_steps=welcome.max_steps,
            disable_env_checker=True,
        )

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode there. A plant that was started anew is greeted anew."""
        self._check_open()
        self._tick = 0
        try:
            outcome, frames = self._ask_outcome(Reset(**self._numbers(), seed=_seed(seed), options=options), [])
        except _SessionLost:
            self._say_hello()
            outcome, frames = self._ask_outcome(Reset(**self._numbers(), seed=_seed(seed), options=options), [])
        return self._observations.read(frames), outcome.info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Do an action there. Raises `PlantError` for what the plant refuses, or where it fails."""
        self._check_open()
        frames = self._actions.write(action)
        outcome, seen = self._ask_outcome(Step(**self._numbers(), tick=self._tick), frames)
        self._tick += 1
        return self._observations.read(seen), outcome.reward, outcome.terminated, outcome.truncated, outcome.info

    def render(self) -> NDArray[np.uint8] | None:
        """The picture that the plant draws, if it was made to."""
        self._check_open()
        if self.render_mode is None:
            return None
        header, frames = self._ask(Render(**self._numbers()), [])
        if not isinstance(header, Picture):
            raise LinkError(f"{self._endpoint.url}: expected a picture, got {type(header).__name__}")
        if header.shape is None:
            return None
        if len(frames) != 1 or len(frames[0]) != int(np.prod(header.shape)):
            raise LinkError(f"{self._endpoint.url}: the picture does not have its shape, {header.shape}")
        return np.frombuffer(frames[0], np.uint8).reshape(header.shape).copy()

    def close(self) -> None:
        """Say bye; the plant goes on without us. A second call does nothing."""
        if self._socket.closed:
            return
        if self._session:
            with_header = [messages.packed(Bye(**self._numbers()))]
            try:
                self._socket.send_multipart(with_header, zmq.NOBLOCK)
                self._socket.poll(200)  # LINGER is 0: wait until it went out and was answered
            except zmq.ZMQError:
                pass
        self._socket.close()

    def _say_hello(self) -> Welcome:
        self._session, self._seq = secrets.randbits(62) + 1, 0
        from .. import __version__

        hello = Hello(protocol=PROTOCOL, session=self._session, client=f"neuroloop {__version__}")
        header, _ = self._exchange(
            [messages.packed(hello)], lambda header: isinstance(header, Welcome) and header.session == hello.session
        )
        assert isinstance(header, Welcome)
        if header.protocol != PROTOCOL:
            raise LinkError(
                f"{self._endpoint.url}: speaks version {header.protocol}, we {PROTOCOL}; install matching versions"
            )
        return header

    def _numbers(self) -> dict[str, int]:
        self._seq += 1
        return {"session": self._session, "seq": self._seq, "t_ns": time.monotonic_ns()}

    def _ask_outcome(self, header: Any, frames: list[Any]) -> tuple[Outcome, list[bytes]]:
        answer, seen = self._ask(header, frames)
        if not isinstance(answer, Outcome):
            raise LinkError(f"{self._endpoint.url}: expected an outcome, got {type(answer).__name__}")
        return answer, seen

    def _ask(self, header: Any, frames: list[Any]) -> tuple[FromPlant, list[bytes]]:
        seq = header.seq
        return self._exchange(
            [messages.packed(header), *frames],
            lambda answer: not isinstance(answer, Welcome) and answer.session == self._session and answer.ack == seq,
        )

    def _exchange(self, message: list[Any], fits: Any) -> tuple[FromPlant, list[bytes]]:
        """Send, again where nothing comes, until the answer is there."""
        url, end = self._endpoint.url, time.monotonic() + self._timeout
        for _ in range(TRIES):
            again = min(time.monotonic() + self._timeout / TRIES, end)
            if not self._socket.poll(_ms(again), zmq.POLLOUT):
                continue
            self._socket.send_multipart(message, copy=True)
            while self._socket.poll(_ms(again), zmq.POLLIN):
                first, *frames = self._socket.recv_multipart(copy=True)
                if not first:
                    continue  # the plant looked whether we are here
                header = messages.from_plant(first)
                if isinstance(header, Refused) and header.session in (0, self._session):
                    raise _refused(url, header)
                if fits(header):
                    return header, frames
        raise LinkError(f"{url}: no answer for {self._timeout:g} s; is a plant served there (`neuroloop serve`)?")

    def _check_open(self) -> None:
        if self._socket.closed:
            raise gymnasium.error.ClosedEnvironmentError(f"{self._endpoint.url}: the environment is closed")


class _SessionLost(LinkError):
    """The plant does not know us any more."""


def _refused(url: str, refused: Refused) -> Exception:
    kinds: dict[str, type[Exception]] = {"plant": PlantError, "value": PlantError, "session": _SessionLost}
    return kinds.get(refused.code, LinkError)(f"{url}: {refused.reason}")


def _seed(seed: int | None) -> int | None:
    return None if seed is None else int(seed)


def _ms(until: float) -> int:
    return max(0, round(1000 * (until - time.monotonic())))
