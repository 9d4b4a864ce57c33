"""The contract of encoders."""

from __future__ import annotations

import copy
import gc
import tracemalloc
from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import Space, spaces
from numpy.typing import NDArray

from ..encoders.protocol import METHODS, Monotone, SpikeEncoder
from ..encoders.standalone import Encoder
from ..errors import BadInput, NeuroloopError
from ..settings import AnyEncoder, ClockConfig
from ..types import Spikes
from .contract import ContractError, check_space, equal, require, same, samples, spoilt, what_is_wrong

N_TICKS, N_EPISODES = 6, 2
SWEEP = 23  # values that a dimension is swept over
MOST_BYTES = 4096  # that a call may use meanwhile, beside its observation as numbers
MOST_KEPT = 512  # bytes that may be left after many calls


def check_encoder(
    encoder: SpikeEncoder | AnyEncoder | Mapping[str, Any] | str,
    space: Space[Any],
    *,
    clock: ClockConfig | None = None,
    seed: int = 0,
) -> list[str]:
    """Check an encoder, or the built-in one that a kind, a table or settings describe, on observations of `space`.

    Raises `ContractError` with what was expected and what came, `BadInput` for settings that describe no encoder. Returns
    what was checked.
    """
    check_space("space", space)
    contract = _Contract(encoder, space, ClockConfig() if clock is None else clock, seed)
    checks = [
        contract.specs,
        contract.spikes,
        contract.determinism,
        contract.going_on,
        contract.own_state,
        contract.refusal,
    ]
    if contract.monotone is not None and isinstance(space, spaces.Box):
        checks.append(contract.monotony)
    if isinstance(contract.original, Encoder) and not contract.new()._senses.hosts:
        checks.append(contract.allocation)
    for check in checks:
        check()
    return [check.__name__.replace("_", " ") for check in checks]


class _Contract:
    """One encoder under test; every check begins with new ones."""

    def __init__(self, encoder: Any, space: Space[Any], clock: ClockConfig, seed: int) -> None:
        if isinstance(encoder, str):
            encoder = {"kind": encoder}
        missing = [name for name in METHODS if not callable(getattr(encoder, name, None))]
        settings = isinstance(encoder, Mapping | AnyEncoder)
        require(settings or not missing, f"{type(encoder).__name__} has no method {missing[:1]}; see SpikeEncoder")
        self.original = Encoder(encoder) if settings else encoder
        self.name = type(self.original).__name__
        self.space, self.clock, self.seed = space, clock, seed
        self.observations = samples(space, N_TICKS * N_EPISODES, seed)

    def new(self) -> Any:
        """A bound encoder."""
        encoder = copy.deepcopy(self.original)
        self.n = encoder.bind(copy.deepcopy(self.space), self.clock, self.seed)
        return encoder

    @property
    def monotone(self) -> Monotone | None:
        """What is promised; known once an encoder is bound."""
        promised: Monotone | None = getattr(self.new(), "monotone", None)
        return promised

    def play(self, encoder: Any, episodes: range = range(N_EPISODES)) -> list[tuple[bytes, bytes]]:
        """Run whole episodes; returns copies of all spikes."""
        seen = []
        for episode in episodes:
            encoder.reset(episode)
            for k in range(N_TICKS):
                seen.append(self.encode(encoder, episode * N_TICKS + k))
        return seen

    def encode(self, encoder: Any, tick: int) -> tuple[bytes, bytes]:
        return _bits(encoder.encode(self.observations[tick], tick))

    # -- checks

    def specs(self) -> None:
        """The number of neurons is known from `bind` on."""
        first, second = self.new(), None
        n = self.n
        whole = isinstance(n, int | np.integer) and not isinstance(n, bool) and n >= 1
        require(whole, f"{self.name}.bind: must return the number of neurons, a whole number ≥ 1, got {n!r}")
        second = self.new()
        require(self.n == n, f"{self.name}.bind: returned {n}, and {self.n} for another one of the same seed")
        require(first is not second and isinstance(first.state(), dict), f"{self.name}.state: must return a dictionary")

    def spikes(self) -> None:
        """Spikes lie within the control step, sorted, of neurons that there are; observations are left alone."""
        encoder = self.new()
        for tick, observation in enumerate(self.observations):
            if tick % N_TICKS == 0:
                encoder.reset(tick // N_TICKS)
            before = copy.deepcopy(observation)
            spikes = encoder.encode(observation, tick)
            wrong = what_is_wrong(spikes, self.n, self.clock.n_steps)
            require(wrong is None, f"{self.name}.encode, tick {tick}: {wrong}")
            require(equal(before, observation), f"{self.name}.encode, tick {tick}: changed the observation")

    def determinism(self) -> None:
        """The same calls with the same seed give the same spikes, whatever other random generators do."""
        ours, theirs = self.new(), self.new()
        first = self.play(ours)
        np.random.default_rng().random(10)
        second = self.play(theirs)
        for tick, (a, b) in enumerate(zip(first, second, strict=True)):
            require(a == b, f"{self.name}: two with seed {self.seed} differ at tick {tick}; is all randomness seeded?")

    def going_on(self) -> None:
        """What is restored goes on bit for bit, in another encoder too."""
        straight, other = self.new(), self.new()
        straight.reset(0)
        for tick in range(N_TICKS // 2):
            self.encode(straight, tick)
        state = straight.state()
        for name, array in state.items():
            numbers = isinstance(array, np.ndarray) and array.dtype.kind in "biuf"
            require(numbers, f"{self.name}.state: {name!r} must be an array of numbers, got {array!r}")
        self.play(other)
        other.restore(state)
        differs = same(other.state(), state)
        require(differs is None, f"{self.name}: its state is another one after restore: {differs}")
        for tick in range(N_TICKS // 2, 2 * N_TICKS):
            if tick == N_TICKS:
                straight.reset(1)
                other.reset(1)
            equal = self.encode(straight, tick) == self.encode(other, tick)
            require(equal, f"{self.name}: a restored one differs at tick {tick}; does state() hold all that changes?")

    def own_state(self) -> None:
        """`state` returns copies, and `restore` refuses what does not fit without changing anything."""
        encoder = self.new()
        self.play(encoder)
        state = encoder.state()
        kept = copy.deepcopy(state)
        self.play(encoder)
        differs = same(kept, state)
        require(differs is None, f"{self.name}.state: is no copy: it changed with later calls: {differs}")
        before = encoder.state()
        for name in state:
            less = {key: array for key, array in state.items() if key != name}
            _refuses(
                lambda less=less: encoder.restore(less), BadInput, f"{self.name}.restore without array {name!r}", None
            )
            differs = same(encoder.state(), before)
            require(differs is None, f"{self.name}.restore: was refused, but changed something: {differs}")

    def refusal(self) -> None:
        """What is no observation is refused by the name of its key, and then it is as if it had not come."""
        encoder, twin = self.new(), self.new()
        encoder.reset(0)
        twin.reset(0)
        for tick in (0, 1):
            self.encode(encoder, tick)
            self.encode(twin, tick)
        state = encoder.state()
        expected = self.encode(twin, 2)
        for key, what, bad in spoilt(self.space, self.observations[2]):
            try:
                given = _bits(encoder.encode(bad, 2))
            except NeuroloopError as error:
                named = key in str(error)
                require(named, f"{self.name}.encode: {key} {what}; expected an error that names {key!r}, got: {error}")
            except Exception as error:
                raise ContractError(
                    f"{self.name}.encode: {key} {what}; expected a PlantError, got {error!r}"
                ) from error
            else:  # fine if the encoder does not look at this key
                require(given == expected, f"{self.name}.encode: {key} {what}, and was encoded all the same")
                encoder.restore(state)
            differs = same(encoder.state(), state)
            require(differs is None, f"{self.name}.encode: {key} {what} was refused, but changed its state: {differs}")
        require(self.encode(encoder, 2) == expected, f"{self.name}.encode: what was refused changed what came next")

    def monotony(self) -> None:
        """Answers rise or fall with values as promised."""
        promised, encoder = self.monotone, self.new()
        assert promised is not None
        assert isinstance(self.space, spaces.Box)
        self.play(encoder)
        state, middle = encoder.state(), np.array(self.observations[-1])
        low, high = (np.ravel(np.where(np.isfinite(end), end, sign * 3.0)) for end, sign in _ends(self.space))
        for d in np.unique(promised.dimensions):
            answers = []
            for x in np.linspace(low[d], high[d], SWEEP):
                middle.reshape(-1)[d] = x
                encoder.restore(state)
                spikes = encoder.encode(middle, len(self.observations))
                answers.append(_answers(spikes, self.n, promised.answer))
            middle = np.array(self.observations[-1])
            mine = promised.dimensions == d
            steps = np.diff(np.array(answers)[:, promised.neurons[mine]], axis=0) * promised.signs[mine]
            wrong = promised.neurons[mine][(steps < 0).any(axis=0)]
            require(
                not wrong.size,
                f"{self.name}: promises that the {promised.answer} of neuron {wrong[:1]} goes one way with dimension {d}",
            )

    def allocation(self) -> None:
        """A call leaves nothing behind and needs no memory that grows with the neurons."""
        encoder = self.new()
        self.play(encoder)
        allowed = MOST_BYTES + 64 * _numbers(self.space)
        for _ in range(50):
            encoder.encode(self.observations[0], 0)
        gc.collect()
        tracemalloc.start()
        try:
            encoder.encode(self.observations[0], 0)
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            for _ in range(200):
                encoder.encode(self.observations[0], 0)
            after, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        require(after - before <= MOST_KEPT, f"{self.name}.encode: 200 calls left {after - before} bytes behind")
        require(
            peak - before <= allowed, f"{self.name}.encode: needs {peak - before} bytes a call, more than {allowed}"
        )


def _ends(space: spaces.Box) -> tuple[tuple[NDArray[Any], float], tuple[NDArray[Any], float]]:
    return (space.low, -1.0), (space.high, 1.0)


def _numbers(space: Space[Any]) -> int:
    try:
        return int(spaces.flatdim(space))
    except (NotImplementedError, ValueError):
        return 0


def _bits(spikes: Spikes) -> tuple[bytes, bytes]:
    return np.array(spikes.ids[: spikes.n]).tobytes(), np.array(spikes.offsets).tobytes()


def _answers(spikes: Spikes, n: int, answer: str) -> NDArray[np.int64]:
    """What each neuron answered, so that more is more."""
    ids = spikes.ids[: spikes.n]
    if answer == "count":
        return np.bincount(ids, minlength=n)
    soon = np.zeros(n, np.int64)
    n_steps = spikes.offsets.size - 1
    for step in range(n_steps - 1, -1, -1):
        soon[spikes.at(step)] = n_steps - step
    return soon


def _refuses(call: Any, kind: type[Exception], what: str, words: str | None) -> None:
    try:
        call()
    except kind as error:
        require(words is None or words in str(error), f"{what}: expected an error with {words!r}, got {error}")
    except Exception as error:
        raise ContractError(f"{what}: expected a {kind.__name__}, got {error!r}") from error
    else:
        raise ContractError(f"{what}: expected a {kind.__name__}, but it was taken")
