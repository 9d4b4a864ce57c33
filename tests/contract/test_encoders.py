"""What every encoder owes its user, ours and theirs; and the contract itself, on encoders that break it in one way each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.encoders import Encoder, SpikeEncoder, make
from neuroloop.encoders.kinds import ADDERS
from neuroloop.encoders.observation import layout_of, misfit
from neuroloop.encoders.protocol import Monotone
from neuroloop.encoders.senses import MAKERS
from neuroloop.errors import BadInput, CheckpointError, PlantError
from neuroloop.settings import ClockConfig, Conjunctive, LatencyCode, OneEncoder, Parts
from neuroloop.testing import ContractError, check_encoder
from neuroloop.types import Spikes

KINDS: dict[str, dict[str, Any]] = {
    "conjunctive": {"kind": "conjunctive", "modules": 12},
    "gaussian": {"kind": "gaussian"},
    "gaussian-poisson": {"kind": "gaussian", "spikes": "poisson"},
    "rate": {"kind": "rate"},
    "rate-poisson": {"kind": "rate", "spikes": "poisson", "channels": "value", "min_rate": 5.0},
    "latency": {"kind": "latency"},
    "latency-logarithmic": {"kind": "latency", "law": "logarithmic"},
    "send-on-delta": {"kind": "send-on-delta"},
    "burst": {"kind": "burst"},
    "phase": {"kind": "phase", "frequency": 37.0},
    "rhythm": {"kind": "rhythm", "frequency": 3.7},
    "spindle": {"kind": "spindle"},
    "spindle-poisson": {"kind": "spindle", "spikes": "poisson"},
    "python": {"kind": "python", "of": f"{__name__}:Whole"},
    "parts": {
        "kind": "parts",
        "part": {"a": {"kind": "rate"}, "b": {"kind": "conjunctive", "modules": 5}, "c": {"kind": "burst"}},
    },
}  # fmt: skip
SPACES: dict[str, spaces.Space[Any]] = {
    "box": spaces.Box(-1.0, 1.0, (3,)),
    "unbounded matrix": spaces.Box(-np.inf, np.inf, (2, 2), np.float64),
    "scalar": spaces.Box(-1.0, 1.0, ()),
    "discrete": spaces.Discrete(5, start=2),
    "multi-discrete": spaces.MultiDiscrete([3, 70]),
    "multi-binary": spaces.MultiBinary(4),
    "dict": spaces.Dict({"arm": spaces.Dict({"q": spaces.Box(-2.0, 2.0, (2,))}), "grip": spaces.Discrete(3)}),
    "tuple": spaces.Tuple((spaces.Box(0.0, 1.0, (2,)), spaces.MultiBinary(2))),
}


class Whole:
    """A correct encoder in Python of any space: the sum of an observation says which of 5 neurons fires, at a seeded step."""

    def bind(self, space: Any, clock: ClockConfig, seed: int) -> int:
        self.space, self.n_steps, self.rng = space, clock.n_steps, np.random.default_rng(seed)
        self.noise, self.count = self.rng.integers(self.n_steps, size=64), 0
        return 5

    def reset(self, episode: int) -> None:
        self.count = 0

    def encode(self, observation: Any, tick: int) -> Spikes:
        flat = self.numbers(self.space, observation)
        self.count += 1
        return self.answer(flat, tick)

    def answer(self, flat: Any, tick: int) -> Spikes:
        return Spikes.of([self.noise[(tick + self.count) % 64]], [int(abs(flat.sum()) * 7) % 5], self.n_steps)

    def numbers(self, space: Any, value: Any) -> Any:
        found = misfit(space, value)
        if found:
            raise PlantError(found)
        layout = layout_of(space)
        flat = np.asarray(layout.flatten(value), float)
        for name, x, levels in zip(layout.names, flat, layout.levels, strict=True):
            if not np.isfinite(x) or (levels and not 0 <= x < levels):
                raise PlantError(f"{name} is {x}")
        return flat

    def state(self) -> dict[str, Any]:
        return {"count": np.array([self.count])}

    def restore(self, state: Any) -> None:
        if "count" not in state:
            raise CheckpointError("count: is missing")
        self.count = int(state["count"][0])


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """This module under the name that settings say, however pytest imported it."""
    import sys
    from types import ModuleType

    module = ModuleType(__name__)
    module.Whole = Whole  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, __name__, module)


def test_every_kind_is_here() -> None:
    tags = {kind.__struct_config__.tag for kind in (*OneEncoder.__args__, Parts)}
    elsewhere = {"events"}  # which needs an EventSpace: tests/encoders/test_event_refusals.py
    assert tags - elsewhere <= {table["kind"] for table in KINDS.values()}
    assert {*ADDERS, *MAKERS, Conjunctive} == set(OneEncoder.__args__)


@pytest.mark.parametrize("space", SPACES.values(), ids=SPACES)
@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_the_contract(kind: str, space: Any) -> None:
    checked = check_encoder(KINDS[kind], space, clock=ClockConfig(n_steps=21), seed=5)
    assert checked[:6] == ["specs", "spikes", "determinism", "going on", "own state", "refusal"]
    assert ("allocation" in checked) == (kind != "python")
    single = {"rate", "rate-poisson", "latency", "latency-logarithmic", "burst", "spindle", "spindle-poisson"}
    assert ("monotony" in checked) == (kind in single and isinstance(space, spaces.Box))


def test_an_encoder_by_itself_is_a_spike_encoder() -> None:
    assert isinstance(make({"kind": "rate"}, SPACES["box"]), SpikeEncoder)
    assert isinstance(Whole(), SpikeEncoder)
    check_encoder(Whole(), SPACES["dict"])


class Unseeded(Whole):
    def answer(self, flat: Any, tick: int) -> Spikes:
        return Spikes.of([np.random.default_rng().integers(self.n_steps)], [0], self.n_steps)


class Forgetful(Whole):
    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Any) -> None: ...


class Shared(Whole):
    def bind(self, *arguments: Any) -> int:
        self.array = np.zeros(1)
        return super().bind(*arguments)

    def answer(self, flat: Any, tick: int) -> Spikes:
        self.array += 1.0
        return super().answer(flat, tick)

    def state(self) -> dict[str, Any]:
        return super().state() | {"array": self.array}

    def restore(self, state: Any) -> None:
        super().restore(state)
        self.array = state["array"].copy()


class Gullible(Whole):
    def numbers(self, space: Any, value: Any) -> Any:
        return np.nan_to_num(np.ravel(value)).astype(float)


class Nameless(Whole):
    def numbers(self, space: Any, value: Any) -> Any:
        try:
            return super().numbers(space, value)
        except PlantError:
            raise PlantError("something is wrong") from None


class Crashing(Whole):
    def numbers(self, space: Any, value: Any) -> Any:
        try:
            return super().numbers(space, value)
        except PlantError:
            raise ZeroDivisionError from None


class Spoilt(Whole):
    """Counts what it refuses."""

    def encode(self, observation: Any, tick: int) -> Spikes:
        self.count += 1
        return self.answer(self.numbers(self.space, observation), tick)


class Late(Whole):
    def answer(self, flat: Any, tick: int) -> Spikes:
        return Spikes.of([self.n_steps], [0], self.n_steps + 1)


class Backwards(Whole):
    def answer(self, flat: Any, tick: int) -> Spikes:
        return Spikes(np.array([3, 1], np.int32), np.append(0, np.full(self.n_steps, 2)).astype(np.int32))


class TooMany(Whole):
    def answer(self, flat: Any, tick: int) -> Spikes:
        return Spikes.of([0], [5], self.n_steps)


class Wide(Whole):
    def answer(self, flat: Any, tick: int) -> Spikes:
        return Spikes(*(array.astype(np.int64) for array in super().answer(flat, tick)))  # type: ignore[arg-type]


class Writing(Whole):
    def numbers(self, space: Any, value: Any) -> Any:
        flat = super().numbers(space, value)
        value *= 0.5
        return flat


class Countless(Whole):
    def bind(self, *arguments: Any) -> int:
        super().bind(*arguments)
        return 2.5  # type: ignore[return-value]


class Growing(Whole):
    made = 0

    def bind(self, *arguments: Any) -> int:
        Growing.made += 1
        return super().bind(*arguments) + Growing.made


class Trusting(Whole):
    def restore(self, state: Any) -> None:
        self.count = int(state.get("count", np.zeros(1))[0])


class Promising(Whole):
    monotone = Monotone("count", np.array([0]), np.array([0]), np.array([1]))

    def answer(self, flat: Any, tick: int) -> Spikes:
        many = int(abs(flat[0]) * 5)
        return Spikes.of(np.arange(many), np.zeros(many, int), self.n_steps)


class Objects(Whole):
    def state(self) -> dict[str, Any]:
        return {"count": [self.count]}


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Unseeded, r"two with seed 0 differ at tick \d+; is all randomness seeded"),
        (Forgetful, "a restored one differs at tick 3; does state"),
        (Shared, "is no copy: it changed with later calls"),
        (Gullible, "observation is nan, and was encoded all the same"),
        (Nameless, "observation is nan; expected an error that names 'observation', got: something is wrong"),
        (Crashing, "expected a PlantError, got ZeroDivisionError"),
        (Spoilt, "observation is nan was refused, but changed its state: array 'count'"),
        (Late, "tick 0: offsets must be 21 numbers for 20 steps, got 22"),
        (Backwards, r"tick 0: ids must rise within a step, got \[3 1\] in step 0"),
        (TooMany, r"ids must be from 0 to 4, got \[5\]"),
        (Wide, "ids must be an int32 vector, got int64"),
        (Writing, "tick 0: changed the observation"),
        (Countless, "bind: must return the number of neurons, a whole number ≥ 1, got 2.5"),
        (Growing, "for another one of the same seed"),
        (Trusting, "restore without array 'count': expected a BadInput, but it was taken"),
        (Promising, r"promises that the count of neuron \[0\] goes one way with dimension 0"),
        (Objects, "state: 'count' must be an array of numbers"),
    ],
)
def test_a_broken_encoder_is_caught(broken: type[Whole], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_encoder(broken(), spaces.Box(-1.0, 1.0, (2,), np.float64))


def test_a_kind_a_table_settings_and_an_encoder_are_checked_alike() -> None:
    space = spaces.Box(-1.0, 1.0, (2,))
    found = [
        check_encoder(one, space) for one in ("latency", {"kind": "latency"}, LatencyCode(), Encoder(LatencyCode()))
    ]
    assert (
        found == [["specs", "spikes", "determinism", "going on", "own state", "refusal", "monotony", "allocation"]] * 4
    )
    assert check_encoder(Whole(), space)[:2] == ["specs", "spikes"]


def test_what_describes_no_encoder_or_no_space_is_bad_input() -> None:
    with pytest.raises(BadInput, match=r"encoder\.kind: unknown kind 'latncy': did you mean 'latency'"):
        check_encoder("latncy", spaces.Box(-1.0, 1.0, (2,)))
    with pytest.raises(BadInput, match=r"^space: must be a Gymnasium space, got None$"):
        check_encoder({"kind": "latency"}, None)  # type: ignore[arg-type]


def test_what_is_no_encoder_is_caught() -> None:
    with pytest.raises(ContractError, match=r"object has no method \['bind'\]"):
        check_encoder(object(), SPACES["box"])  # type: ignore[arg-type]


class Hoarding(Encoder):
    """One of ours that would keep something of every call."""

    def encode(self, observation: Any, tick: int | None = None) -> Spikes:
        vars(self).setdefault("kept", []).append(np.array(observation))
        return super().encode(observation, tick)


class Wasteful(Encoder):
    """One of ours that would use memory meanwhile."""

    def encode(self, observation: Any, tick: int | None = None) -> Spikes:
        np.zeros(100_000)
        return super().encode(observation, tick)


@pytest.mark.parametrize(
    ("broken", "message"), [(Hoarding, "left .* bytes behind"), (Wasteful, "needs .* bytes a call")]
)
def test_allocation_is_caught(broken: type[Encoder], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_encoder(broken({"kind": "rate"}), SPACES["box"])
