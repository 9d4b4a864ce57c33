"""What every decoder owes whoever acts by it, built-in or not; and that the checks find decoders that do not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from neuroloop.decoders import Decoder, make
from neuroloop.errors import BadInput, UnsupportedSpace
from neuroloop.settings import Limits, Rate
from neuroloop.testing import ContractError, check_decoder
from neuroloop.types import Spikes

CHOICES = [spaces.Discrete(3, start=2), spaces.MultiDiscrete([2, 4]), spaces.MultiBinary(3)]
SWITCHES = [spaces.Discrete(2), spaces.MultiBinary((2, 2)), spaces.MultiDiscrete([2, 2], start=[5, -1])]
BOXES = [
    spaces.Box(-2.0, 2.0, (1,)),
    spaces.Box(np.array([-1.0, 0.0, 3.0]), np.array([0.5, 10.0, 4.0]), dtype=np.float64),
    spaces.Box(-7, 12, (2, 1), np.int32),
    spaces.Box(0.0, 1.0, ()),
]
LIMITED: dict[str, Any] = {"limits": {"deadband": 0.2, "amplitude": 0.9, "slew": 12.5}}
KINDS: dict[str, list[Any]] = {
    "winner-take-all": CHOICES + BOXES,
    "first-spike": CHOICES + BOXES,
    "population-vector": BOXES,
    "rate": BOXES,
    "leaky-integrator": BOXES,
    "pwm": SWITCHES + BOXES,
    "linear": BOXES,
}
VARIANTS: list[dict[str, Any]] = [
    {"kind": "leaky-integrator", "order": 1, "tau": 0.05},
    {"kind": "pwm", "modulation": "carrier", "cycle": 4},
    {"kind": "population-vector", "gain": 1.0, "levels": 3},
    {"kind": "rate", "limits": {"step": 0.1}},
]
EVERY = [(kind, space) for kind, served in KINDS.items() for space in served]


@pytest.mark.parametrize(("kind", "space"), EVERY, ids=lambda one: str(one))
def test_it_keeps_to_the_contract(kind: str, space: Any) -> None:
    check_decoder(kind, space)


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_to_its_limits(kind: str) -> None:
    check_decoder({"kind": kind, **LIMITED}, spaces.Box(-1.0, 1.0, (2,)))


@pytest.mark.parametrize("table", VARIANTS, ids=str)
def test_its_variants_keep_to_the_contract_too(table: dict[str, Any]) -> None:
    check_decoder(table, BOXES[0])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("winner-take-all", "first-spike")])
@pytest.mark.parametrize("space", [spaces.Discrete(3), spaces.Box(-np.inf, 1.0, (1,)), spaces.Text(3)], ids=str)
def test_it_refuses_a_space_that_it_cannot_serve(kind: str, space: Any) -> None:
    with pytest.raises(UnsupportedSpace, match="action space"):
        make(kind, space)


# -- decoders of users


class Mean:
    """A decoder as a user may write it: the difference of spikes in two halves, low-passed. It keeps to the contract."""

    n_inputs, n_steps = 10, 5

    def __init__(self) -> None:
        self.level = np.zeros(1)

    def reset(self, episode: int) -> None:
        self.level[:] = 0.0

    def decode(self, spikes: Spikes) -> Any:
        ids, offsets = (np.asarray(array) for array in spikes)
        total = int(offsets[-1])
        if ids.dtype.kind != "i" or offsets.size != self.n_steps + 1 or offsets[0] or (np.diff(offsets) < 0).any():
            raise BadInput("offsets")
        if total > ids.size or (total and not 0 <= ids[:total].min() <= ids[:total].max() < self.n_inputs):
            raise BadInput("ids")
        if any((np.diff(spikes.at(step)) <= 0).any() for step in range(self.n_steps)):
            raise BadInput("ids must rise")
        up = np.count_nonzero(ids[:total] >= 5)
        self.level += 0.5 * ((2.0 * up - total) / 25.0 - self.level)
        return self.level.astype(np.float32)

    def state(self) -> dict[str, Any]:
        return {"level": self.level.copy()}

    def restore(self, state: Any) -> None:
        if state.keys() != {"level"} or state["level"].shape != (1,):
            raise BadInput("state")
        self.level[:] = state["level"]


SPACE = spaces.Box(-1.0, 1.0, (1,))


def rising(drive: float) -> Spikes:
    ids = np.flatnonzero(np.repeat([drive < -0.1, drive > 0.1], 5))
    return Spikes.of(np.zeros(ids.size, int), ids, 5)


def test_a_users_own_decoder_passes() -> None:
    assert isinstance(Mean(), Decoder)
    check_decoder(Mean(), SPACE, rising=rising)


class Wide(Mean):
    def decode(self, spikes: Spikes) -> Any:
        return np.float32(3.0) * super().decode(spikes)


class Forgetful(Mean):
    def reset(self, episode: int) -> None:
        pass


class Partial(Mean):
    def state(self) -> dict[str, Any]:
        return {"level": np.zeros(1)}


class Views(Mean):
    def state(self) -> dict[str, Any]:
        return {"level": self.level}


class Reused(Mean):
    def __init__(self) -> None:
        super().__init__()
        self.out = np.zeros(1, np.float32)

    def decode(self, spikes: Spikes) -> Any:
        self.out[:] = super().decode(spikes)
        return self.out


class Lenient(Mean):
    def decode(self, spikes: Spikes) -> Any:
        try:
            return super().decode(spikes)
        except BadInput:
            return np.zeros(1, np.float32)


class Hasty(Mean):
    def decode(self, spikes: Spikes) -> Any:
        self.level *= 0.9
        return super().decode(spikes)


class Random(Mean):
    def decode(self, spikes: Spikes) -> Any:
        return np.clip(super().decode(spikes) + np.random.default_rng().normal(0.0, 0.01), -1.0, 1.0).astype(np.float32)


class Backwards(Mean):
    def decode(self, spikes: Spikes) -> Any:
        return -super().decode(spikes)


class Scribbling(Mean):
    def decode(self, spikes: Spikes) -> Any:
        action = super().decode(spikes)
        spikes.ids[:] = 0
        return action


class Lists(Mean):
    def state(self) -> dict[str, Any]:
        return {"level": self.level.tolist()}


class Trusting(Mean):
    def restore(self, state: Any) -> None:
        self.level[:] = state.get("level", 0.0)


class Late(Mean):
    n_inputs = 0


BROKEN = {
    Wide: "lies outside", Forgetful: "reset must forget all", Partial: "after restore", Views: "must return copies",
    Reused: "changed later", Lenient: "must refuse", Hasty: "changed its state", Random: "the same episode and spikes gave",
    Backwards: "is below", Scribbling: "changed the spikes", Lists: "must be an array", Trusting: "restore must refuse",
    Late: "must be above 0",
}  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda kind: kind.__name__)
def test_a_broken_decoder_is_caught_and_told_what_is_wrong(broken: Any) -> None:
    with pytest.raises(ContractError, match=BROKEN[broken]):
        check_decoder(broken(), SPACE, rising=rising)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"amplitude": 0.3}, "farther from rest"),
        ({"step": 0.05}, "at once"),
        ({"deadband": 0.1}, "inside the deadband"),
    ],
    ids=str,
)
def test_a_decoder_without_limits_is_caught(limits: dict[str, float], message: str) -> None:
    with pytest.raises(ContractError, match=message):
        check_decoder(Mean(), SPACE, limits=Limits(**limits))


def test_limits_of_what_is_no_box_are_bad_input() -> None:
    with pytest.raises(BadInput, match=r"^limits: are for a Box, not for Discrete\(3\)"):
        check_decoder(Mean(), spaces.Discrete(3), limits=Limits())


def test_what_is_no_decoder_is_said_to_be_none() -> None:
    for other in (type("Half", (), {"decode": Mean.decode})(), object(), None):
        with pytest.raises(ContractError, match="must have n_inputs"):
            check_decoder(other, SPACE)
    with pytest.raises(BadInput, match=r"decoder\.kind: unknown kind 'rat': did you mean 'rate'"):
        check_decoder("rat", SPACE)
    with pytest.raises(BadInput, match=r"^action_space: must be a Gymnasium space, got None$"):
        check_decoder({"kind": "rate"}, None)  # type: ignore[arg-type]


def test_a_kind_a_table_settings_and_a_decoder_are_checked_alike() -> None:
    given = ("rate", {"kind": "rate"}, Rate(population="any"), make("rate", SPACE))
    found = [check_decoder(one, SPACE) for one in given]
    assert found == [["actions", "determinism", "state", "refusal", "allocation", "rising"]] * 4
    assert check_decoder(Mean(), SPACE) == ["actions", "determinism", "state", "refusal"]
    assert check_decoder(LIMITED | {"kind": "pwm"}, SPACE)[-2:] == ["rising", "limits"]
