"""A plant in real time, by a clock that the test sets: when exactly it helps itself, what counts as fresh, and what is made up
for when time went by."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.errors import BadInput
from neuroloop.link import messages
from neuroloop.link.live import IDLE_NS, MOST_HELD, LivePlant
from neuroloop.link.messages import PROTOCOL, Bye, Hello, Outcome, Refused, Render, Reset, Step, Welcome
from neuroloop.link.values import Values
from neuroloop.loop.safety import Guard

MS = 1_000_000
PERIOD = 10 * MS
DEADLINE = 100 * MS


class Motor(gymnasium.Env[Any, Any]):
    """Writes down what it does; -1 is its declared fail-safe action, so that nobody takes it for a command."""

    observation_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (1,), np.float32)
    render_mode = None
    fail_safe = (-1.0,)

    def __init__(self, length: int = 100_000) -> None:
        self.length, self.done, self.resets = length, list[float](), 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.n, self.resets = 0, self.resets + 1
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        self.done.append(round(float(action[0]), 6))
        self.n += 1
        return action, 1.0, self.n >= self.length, False, {}


class Bench:
    """A plant and its controllers."""

    def __init__(
        self, deadline: int = DEADLINE, period: int = PERIOD, hold: bool = False, length: int = 100_000
    ) -> None:
        self.env, self.now, self.seq, self.session = Motor(length), 0, 0, 0
        self.plant = LivePlant(
            self.env, "Motor", lambda identity: True, deadline=1e-9 * deadline, guard=Guard(Motor.action_space, 0.01),
            period=1e-9 * period, hold=hold, clock=lambda: self.now,
        )  # fmt: skip

    def take(self, header: Any, *frames: bytes, at: int | None = None, who: bytes = b"me") -> Any:
        answer = self.plant.take(who, [messages.packed(header), *frames], self.now if at is None else at)
        return messages.from_plant(bytes(answer[0])) if answer else None

    def hello(self, session: int, who: bytes = b"me") -> Any:
        self.session, self.seq = session, 0
        return self.take(Hello(protocol=PROTOCOL, session=session), who=who)

    def say(self, kind: Any, *frames: bytes, at: int | None = None, **more: Any) -> Any:
        self.seq += 1
        return self.take(kind(session=self.session, seq=self.seq, t_ns=0, **more), *frames, at=at)

    def command(self, value: float, tick: int = 0, at: int | None = None) -> Any:
        return self.say(Step, np.array([value], "<f4").tobytes(), tick=tick, at=at)

    def tick(self, later: int = PERIOD, left_out: int = 0) -> Outcome | None:
        self.now += later
        post = self.plant.tick(self.now, 0, left_out)
        header = messages.from_plant(bytes(post[1][0])) if post else None
        assert not isinstance(header, Refused), header
        return header  # type: ignore[return-value]

    def begin(self, session: int = 1) -> Bench:
        assert isinstance(self.hello(session), Welcome)
        assert self.say(Reset, seed=0) is None
        outcome = self.tick()
        assert outcome is not None
        assert not outcome.live
        return self


@given(
    period=st.integers(1, 50), deadline=st.integers(1, 400), phase=st.floats(0.001, 1.0),
    jitter=st.lists(st.floats(0.0, 0.9), min_size=1, max_size=20), commands=st.integers(1, 5),
)  # fmt: skip
@settings(max_examples=300, deadline=None, derandomize=True)
def test_the_fail_safe_comes_at_the_first_tick_after_the_deadline_and_never_later_than_one_tick_after_it(
    period: int, deadline: int, phase: float, jitter: list[float], commands: int
) -> None:
    bench = Bench(deadline * MS, period * MS).begin()
    allowed = bench.plant.deadline_ns
    assert allowed == max(deadline, 2 * period) * MS
    start = looked = bench.now
    for k in range(commands):
        came = looked + round(phase * period * MS)  # the truth, which the plant does not know
        assert bench.command(0.5, at=looked) is None
        bench.tick(start + (k + 1) * period * MS - bench.now)
        looked = bench.now
    k, helped = commands, None
    while helped is None:
        k += 1
        bench.tick(start + k * period * MS + round(jitter[k % len(jitter)] * period * MS) - bench.now)
        helped = bench.now if bench.env.done[-1] == -1.0 else None
    assert helped - came <= allowed + round(
        (1 + jitter[k % len(jitter)]) * period * MS
    )  # a late tick is late by itself
    assert helped - came >= allowed - period * MS
    assert bench.env.done.count(-1.0) == 1
    assert bench.plant.lapses == 1


def test_a_controller_that_answers_every_tick_never_lapses_however_short_the_deadline() -> None:
    bench = Bench(deadline=1).begin()
    for _ in range(100):
        before = bench.now
        bench.now += PERIOD
        assert bench.command(0.5, at=before) is None
        assert bench.tick(0) is not None
    assert bench.plant.lapses == 0
    assert set(bench.env.done) == {0.5}


def test_what_lay_in_the_queue_while_the_plant_was_stopped_is_not_done() -> None:
    bench = Bench().begin()
    looked = bench.now
    bench.now += 5_000 * MS
    assert bench.command(0.5, at=looked) is None
    assert bench.tick(0) is None
    assert bench.env.done == [-1.0]
    assert bench.command(0.5).code == "session"


def test_a_command_is_no_older_than_the_outcome_that_it_answers() -> None:
    bench = Bench().begin()
    looked = bench.now
    bench.say(Reset, seed=1)
    bench.now += 5_000 * MS  # so long the episode takes to begin
    assert bench.tick(0) is not None
    bench.now += 2 * MS
    assert bench.command(0.5, at=looked) is None
    assert bench.tick(0).live  # type: ignore[union-attr]
    assert bench.plant.lapses == 0


@pytest.mark.parametrize("what", ["render", "hello", "refused", "old", "foreign", "damaged"])
def test_only_valid_commands_count_as_fresh(what: str) -> None:
    bench = Bench().begin()
    assert bench.command(0.5) is None
    spoken = {
        "render": lambda: bench.say(Render),
        "hello": lambda: bench.take(Hello(protocol=PROTOCOL, session=1)),
        "refused": lambda: bench.command(2.0),
        "old": lambda: bench.take(Step(session=1, seq=1, t_ns=0, tick=0), np.float32(0.5).tobytes()),
        "foreign": lambda: bench.take(Step(session=9, seq=99, t_ns=0, tick=0), np.float32(0.5).tobytes()),
        "damaged": lambda: bench.say(Step, b"1234567", tick=0),
    }[what]
    for _ in range(10):
        bench.tick()
        spoken()
    assert bench.tick() is None
    assert bench.env.done == [0.5] * 9 + [-1.0] * 2


def test_from_the_handshake_to_the_first_command_the_plant_helps_itself_and_nothing_lapsed() -> None:
    bench = Bench()
    bench.hello(1)
    assert bench.tick() is None  # no episode runs: it rests
    bench.say(Reset, seed=0)
    bench.tick()
    for _ in range(30):  # three deadlines
        outcome = bench.tick()
        assert outcome is not None
        assert not outcome.live
    assert bench.command(0.5, tick=30) is None
    assert bench.tick().live  # type: ignore[union-attr]
    assert bench.env.done == [-1.0] * 30 + [0.5]
    assert (bench.plant.helped, bench.plant.lapses) == (30, 0)


def test_who_has_the_plant_and_commands_nothing_loses_it_to_who_asks_after_a_while() -> None:
    bench = Bench().begin()
    assert bench.hello(2, b"other").code == "busy"
    bench.now += IDLE_NS + MS
    assert isinstance(bench.hello(3, b"other"), Welcome)


def test_a_handshake_that_was_used_before_is_none() -> None:
    bench = Bench().begin()
    bench.command(0.5)
    for _ in range(20):
        bench.tick()
    assert bench.plant.lapses == 1
    assert bench.hello(1).code == "session"
    assert bench.command(0.5).code == "session"
    assert isinstance(bench.hello(2), Welcome)


def test_a_welcome_tells_the_episode_that_goes_on_and_the_fail_safe_action() -> None:
    bench = Bench()
    assert bench.hello(1).episode is None
    bench.begin(2)
    frames = bench.plant.take(b"me", [messages.packed(Hello(protocol=PROTOCOL, session=3))], bench.now)
    welcome = messages.from_plant(bytes(frames[0]))
    assert isinstance(welcome, Welcome)
    assert (welcome.episode, welcome.period_ns, welcome.deadline_ns) == (1, PERIOD, DEADLINE)
    assert Values(Motor.action_space).read([np.asarray(frames[1]).tobytes()]).tolist() == [-1.0]


def test_a_bye_is_answered_and_ends_in_the_fail_safe_action() -> None:
    bench = Bench().begin()
    bench.command(0.5)
    bench.tick()
    farewell = bench.say(Bye)
    assert (farewell.ack, farewell.session) == (bench.seq, 1)
    assert bench.tick() is None
    assert bench.env.done == [0.5, -1.0]
    assert bench.plant.lapses == 0


def test_a_reset_that_comes_again_is_done_once() -> None:
    bench = Bench().begin()
    for _ in range(3):
        assert bench.take(Reset(session=1, seq=1, t_ns=0, seed=0)) is None
        bench.tick()
    assert bench.env.resets == 1


def test_a_command_that_crosses_a_reset_is_not_done() -> None:
    bench = Bench().begin()
    bench.say(Reset, seed=1)
    assert bench.command(0.5).code == "episode"
    bench.tick()
    bench.tick()
    assert bench.env.done == [-1.0]


def test_the_age_of_what_a_command_was_decided_on_is_told() -> None:
    bench = Bench().begin()
    bench.now += 3 * MS
    bench.command(0.1, tick=0)
    assert bench.tick(7 * MS).age_ns == 10 * MS  # type: ignore[union-attr]
    assert bench.tick().age_ns == 20 * MS  # type: ignore[union-attr] # the same command, still
    bench.command(0.2, tick=2)
    assert bench.tick().age_ns == 10 * MS  # type: ignore[union-attr]
    assert bench.command(0.2, tick=9).code == "value"  # nobody can have seen that
    assert bench.plant.age_ns == 10 * MS


def test_hold_makes_up_for_time_with_what_was_done_before_and_sums_the_rewards() -> None:
    bench = Bench(hold=True).begin()
    bench.command(0.1)
    bench.tick(left_out=7)  # while the episode began, which is before its time
    bench.command(0.2, tick=1, at=bench.now)
    outcome = bench.tick(4 * PERIOD, left_out=3)
    assert outcome is not None
    assert bench.env.done == [0.1, 0.1, 0.1, 0.1, 0.2]
    assert (outcome.tick, outcome.reward, outcome.held, outcome.left_out) == (5, 4.0, 3, 0)


def test_skip_leaves_out_and_counts() -> None:
    bench = Bench().begin()
    bench.command(0.1)
    bench.tick()
    outcome = bench.tick(4 * PERIOD, left_out=3)
    assert outcome is not None
    assert bench.env.done == [0.1, 0.1]
    assert (outcome.tick, outcome.reward, outcome.held, outcome.left_out) == (2, 1.0, 0, 3)


def test_nothing_is_held_beyond_the_deadline_or_without_end() -> None:
    bench = Bench(hold=True).begin()
    bench.command(0.5)
    bench.tick()
    bench.tick(30 * PERIOD, left_out=29)
    assert bench.env.done == [0.5] * 9 + [-1.0] * 22  # the deadline passed in the meantime
    bench.hello(2)
    outcome = bench.tick(1001 * PERIOD, left_out=1000)
    assert outcome is not None
    assert (outcome.held, outcome.left_out) == (MOST_HELD, 1000 - MOST_HELD)


def test_an_episode_that_ends_while_a_command_is_held_ends_there() -> None:
    bench = Bench(hold=True, length=3).begin()
    bench.command(0.5)
    bench.tick()
    outcome = bench.tick(6 * PERIOD, left_out=5)
    assert outcome is not None
    assert (outcome.terminated, outcome.tick, outcome.reward, outcome.held, outcome.left_out) == (True, 3, 2.0, 1, 4)


def test_a_fail_safe_action_beyond_the_amplitude_is_refused() -> None:
    guard = Guard(Motor.action_space, 0.01, amplitude=0.5)
    with pytest.raises(BadInput, match="fail-safe: lies beyond the amplitude"):
        LivePlant(Motor(), "Motor", lambda identity: True, deadline=0.1, guard=guard)


def test_the_fail_safe_action_is_reached_as_fast_as_slew_permits_also_when_the_plant_ends() -> None:
    bench = Bench().begin()
    bench.plant.guard = Guard(Motor.action_space, 0.01, slew=50.0)  # 0.5 a tick
    bench.command(1.0)
    bench.tick()
    bench.tick()
    assert bench.env.done == [0.5, 1.0]
    ticks = 1
    while not bench.plant.rest():
        ticks += 1
    assert bench.env.done == [0.5, 1.0, 0.5, 0.0, -0.5, -1.0]
    assert ticks == 4
