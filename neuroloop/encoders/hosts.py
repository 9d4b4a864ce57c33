"""The encoders in Python of one network: their episodes, their state, and visits that leave no trace."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import CheckpointError
from ..network.engine import Engine, State
from .hosted import Host

EPISODES = "encoder.episodes"  # the name in a state of how many began


class Hosts:
    """The encoders in Python of one network: their episodes and their state."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self._hosts, self._episodes = hosts, 0

    def __len__(self) -> int:
        return len(self._hosts)

    def attach(self, network: Engine) -> None:
        """Note where in the network spikes go."""
        for host in self._hosts:
            host.attach(network)

    def encode(self, observation: Any, tick: int, *, first: bool) -> None:
        """Hand the spikes of all for an observation to the network; `first`: an episode begins."""
        for host in self._hosts:
            if first:
                host.encoder.reset(self._episodes)
            host.encode(observation, tick)
        self._episodes += first

    def state(self) -> State:
        """A copy of the state of all."""
        if not self._hosts:
            return {}
        state = {
            f"{host.path}/{name}": np.array(array)
            for host in self._hosts
            for name, array in host.encoder.state().items()
        }
        return state | {EPISODES: np.array([self._episodes], np.int64)}

    @contextlib.contextmanager
    def restoring(self, state: Mapping[str, NDArray[Any]]) -> Iterator[None]:
        """Put back what `state` returned, for good if what is done meanwhile succeeds. Raises `CheckpointError`."""
        before = self.state()
        try:
            self.restore(state)
            yield
        except Exception:
            self.restore(before)
            raise

    @contextlib.contextmanager
    def visiting(self, state: State | None) -> Iterator[None]:
        """Work from `state` (None: an episode begins) for a while; afterwards all is as it was before."""
        before = self.state()
        try:
            if state is None:
                self._episodes = 0
            else:
                self.restore(state)
            yield
        finally:
            self.restore(before)

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put back what `state` returned. Raises `CheckpointError` if it does not fit; then it is as if half was restored."""
        if not self._hosts:
            return
        episodes = state.get(EPISODES, np.zeros(0))
        if episodes.shape != (1,) or episodes.dtype.kind != "i" or episodes[0] < 0:
            raise CheckpointError(f"encoder: array {EPISODES!r} should be one whole number")
        for host in self._hosts:
            start = f"{host.path}/"
            own = {name.removeprefix(start): array for name, array in state.items() if name.startswith(start)}
            try:
                host.encoder.restore(own)
            except CheckpointError:
                raise
            except Exception as error:
                raise CheckpointError(f"{host.path}: its state cannot be restored: {error!r}") from error
        self._episodes = int(episodes[0])
