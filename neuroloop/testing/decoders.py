"""What a decoder owes whoever acts by it, checked on spikes of every kind: silence, single neurons, noise, all at once."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from gymnasium import Space, spaces

from ..decoders.actions import values_of
from ..decoders.limits import numbers_of
from ..decoders.protocol import Decoder
from ..decoders.standalone import BuiltIn, make
from ..errors import BadInput
from ..settings import ClockConfig, DecoderConfig, Limits, Pwm
from ..types import Spikes
from .contract import ContractError, check_space, require
from .spikes import bad, rising_with, same, train

EPISODE, OTHER = 3, 4
DECISIONS = 30
HELD = 1500  # bytes that may be left over after hundreds of decisions
ROOM = 6000  # bytes to make an action in, whatever the number of spikes
Rising = Callable[[float], Spikes]


def check_decoder(
    decoder: Decoder | DecoderConfig | Mapping[str, Any] | str,
    action_space: Space[Any],
    *,
    rising: Rising | None = None,
    limits: Limits | None = None,
    period: float = 0.02,
    seed: int = 0,
) -> list[str]:
    """Check a decoder, or the built-in one that a kind, a table or settings describe, on spikes for `action_space`.

    Raises `ContractError` with what was expected and what came, `BadInput` for settings that describe no decoder. Returns
    what was checked. Built-in ones must also allocate nothing, rise with their groups and keep to the limits of their
    settings. For your own, `rising(drive)` gives spikes for a drive from −1 to 1 with which no number of the action may
    fall, and `limits`, with the `period` of a control step in s, what every action must keep to.
    """
    check_space("action_space", action_space)
    if isinstance(decoder, str | Mapping | DecoderConfig):
        decoder = make(decoder, action_space, seed=seed, period=period)
    built_in = decoder if isinstance(decoder, BuiltIn) else None
    _check_names(decoder)
    trains = list(train(decoder.n_inputs, decoder.n_steps, DECISIONS, seed))
    checks: dict[str, Callable[[], None]] = {
        "actions": lambda: _check_actions(decoder, action_space, trains),
        "determinism": lambda: _check_determinism(decoder, trains),
        "state": lambda: _check_state(decoder, trains),
        "refusal": lambda: _check_refusals(decoder, trains),
    }
    if built_in is not None:
        checks["allocation"] = lambda: _check_allocation(decoder, trains)
        limits, period = built_in.settings.limits, built_in.clock.period
        if isinstance(action_space, spaces.Box):
            rising = rising_with(built_in)
    if rising is not None:
        mean = built_in is not None and isinstance(built_in.settings, Pwm)
        checks["rising"] = partial(_check_rising, decoder, rising, mean)
    if limits is not None:
        if not isinstance(action_space, spaces.Box):
            raise BadInput(f"limits: are for a Box, not for {action_space}; leave them out")
        checks["limits"] = partial(_check_limits, decoder, action_space, limits, period, trains)
    for check in checks.values():
        check()
    return list(checks)


def _check_names(decoder: Decoder) -> None:
    has = isinstance(decoder, Decoder)
    require(has, f"{decoder!r} must have n_inputs, n_steps, reset, decode, state and restore")
    for what in ("n_inputs", "n_steps"):
        n = getattr(decoder, what)
        require(isinstance(n, int), f"{what} must be a whole number before anything is decoded, is {n!r}")
        require(n > 0, f"{what} must be above 0, is {n}")


def _actions(decoder: Decoder, trains: list[Spikes], episode: int = EPISODE) -> list[Any]:
    decoder.reset(episode)
    return [decoder.decode(spikes) for spikes in trains]


def _check_actions(decoder: Decoder, space: Space[Any], trains: list[Spikes]) -> None:
    """Actions inside the space, objects of their own, and spikes left as they were."""
    decoder.reset(EPISODE)
    made = []
    for k, spikes in enumerate(trains):
        given = spikes.ids.copy(), spikes.offsets.copy()
        action = decoder.decode(spikes)
        require(space.contains(action), f"decision {k}: the action {action!r} lies outside {space}")
        require(same(given, tuple(spikes)), f"decision {k}: decode changed the spikes that it was given")
        made.append((action, np.array(action)))
    for k, (action, then) in enumerate(made):
        require(same(action, then), f"decision {k}: the action that was returned changed later; return a new object")


def _check_determinism(decoder: Decoder, trains: list[Spikes]) -> None:
    first = _actions(decoder, trains)
    _actions(decoder, trains[::-1], OTHER)
    for k, (a, b) in enumerate(zip(first, _actions(decoder, trains), strict=True)):
        require(same(a, b), f"decision {k}: the same episode and spikes gave {a!r}, then {b!r}; reset must forget all")


def _check_state(decoder: Decoder, trains: list[Spikes]) -> None:
    """What was saved goes on as if nothing had been."""
    half = len(trains) // 2
    _actions(decoder, trains[:half])
    saved = decoder.state()
    for name, array in saved.items():
        require(isinstance(array, np.ndarray), f"state[{name!r}] must be an array, is {type(array).__name__}")
    kept = {name: array.copy() for name, array in saved.items()}
    straight = [decoder.decode(spikes) for spikes in trains[half:]]
    require(same(saved, kept), "state must return copies: they changed as decoding went on")
    _actions(decoder, trains[::-1], OTHER)
    decoder.restore(saved)
    require(same(decoder.state(), kept), "state after restore differs from what was restored")
    for k, (spikes, action) in enumerate(zip(trains[half:], straight, strict=True)):
        again = decoder.decode(spikes)
        require(same(again, action), f"decision {k} after restore: {again!r}, but {action!r} without it")
    before = decoder.state()
    if before:
        _must_raise(lambda: decoder.restore({}), "restore must refuse a state that lacks its arrays")
        require(same(decoder.state(), before), "a state that was refused changed something")


def _check_refusals(decoder: Decoder, trains: list[Spikes]) -> None:
    _actions(decoder, trains[:3])
    before = decoder.state()
    for what, spikes in bad(decoder.n_inputs, decoder.n_steps):
        _must_raise(partial(decoder.decode, spikes), f"decode must refuse {what}")
        require(same(decoder.state(), before), f"decode refused {what}, but changed its state")


def _must_raise(action: Callable[[], object], message: str) -> None:
    try:
        action()
    except Exception:
        return
    raise ContractError(message)


def _check_rising(decoder: Decoder, rising: Rising, mean: bool) -> None:
    """More drive, no less action. What is switched is a mean over time."""
    last: Any = None
    for drive in np.linspace(-1.0, 1.0, 9):
        decoder.reset(EPISODE)
        spikes = rising(float(drive))
        actions = np.array([decoder.decode(spikes) for _ in range(DECISIONS)], np.float64)
        now = actions.mean(axis=0) if mean else actions[-1]
        require(last is None or (now >= last - 1e-6 * np.abs(last)).all(), f"at drive {drive:g} {now} is below {last}")
        last = now


def _check_limits(decoder: Decoder, space: spaces.Box, limits: Limits, period: float, trains: list[Spikes]) -> None:
    values = values_of(space)
    numbers = numbers_of(limits, values, ClockConfig(period=period))
    rounded = 1.0 if values.whole else 1e-6 * float(np.abs([values.low, values.high]).max())
    before, slow = values.rest, (numbers["step"] < values.high - values.low).any()
    for k, action in enumerate(_actions(decoder, trains)):
        now = np.asarray(action, np.float64).ravel()
        amplitude = (now >= numbers["least"] - rounded) & (now <= numbers["most"] + rounded)
        require(amplitude.all(), f"decision {k}: {now} is farther from rest than {limits.amplitude}")
        slowly = (np.abs(now - before) <= numbers["step"] + rounded).all()
        require(slowly, f"decision {k}: from {before} to {now} at once")
        away = np.abs(now - values.rest)
        dead = (away > rounded) & (away < numbers["deadband"] - rounded)
        require(slow or not dead.any(), f"decision {k}: {now} lies inside the deadband {limits.deadband}")
        before = now


def _check_allocation(decoder: Decoder, trains: list[Spikes]) -> None:
    """Nothing is left over. Actions are made, and forgotten."""
    for spikes in trains:
        decoder.decode(spikes)
    tracemalloc.start()
    try:
        for spikes in trains:
            decoder.decode(spikes)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for spikes in _repeated(trains, 5):
            decoder.decode(spikes)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    require(
        after - before < HELD, f"decode keeps memory: {after - before} bytes more after {5 * len(trains)} decisions"
    )
    require(peak - before < ROOM, f"decode allocates {peak - before} bytes to make an action")


def _repeated(trains: list[Spikes], times: int) -> Iterator[Spikes]:
    for _ in range(times):
        yield from trains
