"""Compares what a controller does with what a recording says that it did: spikes, numbers, action, bit for bit."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..activity import Activity
from ..controller import Controller
from ..errors import RecordingError
from ..loop.seen import difference, seen
from ..network.decision.raster import STEPS
from .recorded import Recorded

CLOSE = 1e-5  # relative, or absolute below 1: what other versions and processors may do to numbers


class Difference(NamedTuple):
    """Where something is not as it was."""

    tick: int  # of the run
    episode: int
    where: str  # which part, and what of it
    recorded: Any
    now: Any
    far: bool  # by more than 1e-5

    def __str__(self) -> str:
        return f"tick {self.tick}, episode {self.episode}: {self.where}: recorded {self.recorded}, now {self.now}"


class Comparison:
    """Compares the latest control step of a controller with recorded ones."""

    def __init__(self, controller: Controller) -> None:
        activity = Activity(controller)
        spikes: dict[str, NDArray[Any]] = {**activity.rasters, **activity.cells}
        inputs_first = sorted(spikes, key=lambda name: (not name.startswith("encoder"), name))
        self._spikes = {name: spikes[name] for name in inputs_first}
        self._cells = set(activity.cells)
        self._activity, self._read = activity, struct.Struct(f"{len(activity.numbers)}d").pack

    def check(self, recorded: Recorded) -> None:
        """Raise `RecordingError` where a recording holds other parts."""
        now, then = {*self._spikes, *self._activity.numbers}, {*recorded.spikes, *recorded.numbers}
        if now != then:
            missing, more = sorted(now - then), sorted(then - now)
            raise RecordingError(
                f"was recorded of another network: it {f'has no {missing[0]!r}' if missing else f'has {more[0]!r} too'}"
            )

    def differences(self, recorded: Recorded, action: Any) -> list[Difference]:
        """The first thing that differs in a tick, in the order of the ring: inputs, populations, numbers, action; and if
        that is within 1e-5, the first that is not."""
        for name, now in self._spikes.items():
            if now.tobytes() != recorded.spikes[name].tobytes():
                return [self._of(recorded, *self._spike(name, recorded.spikes[name], now), far=True)]
        found: list[Difference] = []
        numbers = self._activity.read()
        if self._read(*numbers) != self._read(*recorded.numbers.values()):
            found = self._numbers(recorded, numbers)
        found += self._action(recorded, action)
        far = [one for one in found if one.far]
        return found[:1] if not far or found[0].far else [found[0], far[0]]

    def _spike(self, name: str, then: NDArray[Any], now: NDArray[Any]) -> tuple[str, str, str]:
        """Where, what was recorded, and what is now."""
        if now.shape != then.shape:
            return f"spikes of {name}", f"{list(then.shape)} numbers", f"{list(now.shape)} numbers"
        if name in self._cells:
            k = int(np.flatnonzero(now != then)[0])
            return f"active cells of {name}, number {k}", str(then[k]), str(now[k])
        step, neuron, fired = first_spike_that_differs(then, now)
        said = ("silent", "a spike")
        return f"spikes of {name}, neuron {neuron}, step {step}", said[not fired], said[fired]

    def _numbers(self, recorded: Recorded, numbers: list[float]) -> list[Difference]:
        pairs = zip(recorded.numbers.items(), numbers, strict=True)
        other = [(name, then, now) for (name, then), now in pairs if struct.pack("d", then) != struct.pack("d", now)]
        return [
            self._of(recorded, name, then, now, far=not np.isclose(then, now, rtol=CLOSE, atol=CLOSE, equal_nan=True))
            for name, then, now in other
        ]

    def _action(self, recorded: Recorded, action: Any) -> list[Difference]:
        then, now = seen(recorded.tick.action), seen(action)
        if len(then) == len(now) and all(bits(a) == bits(b) for a, b in zip(then, now, strict=True)):
            return []
        return [self._of(recorded, "action", recorded.tick.action, action, far=difference(then, now) is not None)]

    def _of(self, recorded: Recorded, where: str, then: Any, now: Any, *, far: bool) -> Difference:
        return Difference(recorded.tick.tick, recorded.tick.episode, where, then, now, far)


def bits(array: NDArray[Any]) -> tuple[str, tuple[int, ...], bytes]:
    """What an array is, to the last bit; a whole number is recorded as one of its space, however large it was."""
    if array.ndim == 0 and array.dtype.kind in "iu":
        array = array.astype(np.int64)
    return array.dtype.str, array.shape, array.tobytes()


def first_spike_that_differs(then: NDArray[Any], now: NDArray[Any]) -> tuple[int, int, bool]:
    """Step and neuron of the first of two rasters' differences in time, and whether it fires now."""
    for word, (a, b) in enumerate(zip(then, now, strict=True)):
        changed = (a ^ b).view(np.uint32)
        if changed.any():
            both = int(np.bitwise_or.reduce(changed))
            bit = (both & -both).bit_length() - 1
            neuron = int(np.flatnonzero(changed >> np.uint32(bit) & np.uint32(1))[0])
            return STEPS * word + bit, neuron, bool(int(b[neuron]) >> bit & 1)
    raise AssertionError("the rasters are equal")
