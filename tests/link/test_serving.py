"""What a plant answers: one controller, in order, once; and whatever is wrong with a message, nothing of it is applied."""

from typing import Any

import gymnasium
import msgspec
import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from neuroloop.link import messages
from neuroloop.link.messages import PROTOCOL, Bye, Hello, Outcome, Picture, Refused, Render, Reset, Step, Welcome
from neuroloop.link.serving import Serving

ME, OTHER = b"me", b"other"


class Ledger(gymnasium.Env[Any, Any]):
    """Writes down everything that is applied."""

    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    render_mode = "rgb_array"
    dt = 0.02

    def __init__(self) -> None:
        self.applied: list[Any] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.applied.append(("reset", seed))
        return np.zeros(2, np.float32), {"array": np.arange(2), "object": self}

    def step(self, action: Any) -> Any:
        self.applied.append(("step", action.tolist()))
        if action[0] == 1.0:
            raise RuntimeError("the motor burns")
        return action, 0.5, False, len(self.applied) > 20, {}

    def render(self) -> Any:
        return np.full((2, 3, 3), 7, np.uint8)


class Peer:
    """A controller that can misbehave."""

    def __init__(self, serving: Serving, identity: bytes = ME, session: int = 11) -> None:
        self.serving, self.identity, self.session, self.seq = serving, identity, session, 0

    def send(self, *frames: Any) -> tuple[Any, list[bytes]]:
        first, *rest = self.serving.answer(self.identity, [bytes(frame) for frame in frames])
        return messages.from_plant(bytes(first)), [bytes(frame) for frame in rest]

    def hello(self, protocol: int = PROTOCOL) -> Any:
        self.seq = 0
        return self.send(messages.packed(Hello(protocol=protocol, session=self.session)))[0]

    def ask(self, kind: Any, *frames: bytes, seq: int | None = None, **more: Any) -> tuple[Any, list[bytes]]:
        self.seq = self.seq + 1 if seq is None else seq
        header = kind(session=self.session, seq=self.seq, t_ns=5, **more)
        return self.send(messages.packed(header), *frames)

    def step(self, *values: float, **more: Any) -> tuple[Any, list[bytes]]:
        return self.ask(Step, np.array(values, "<f4").tobytes(), **{"tick": 0, **more})


@pytest.fixture
def env() -> Ledger:
    return Ledger()


@pytest.fixture
def peer(env: Ledger) -> Peer:
    made = Peer(Serving(env, "Ledger", lambda identity: True))
    assert isinstance(made.hello(), Welcome)
    return made


def test_an_episode(env: Ledger, peer: Peer) -> None:
    reset, frames = peer.ask(Reset, seed=3)
    assert isinstance(reset, Outcome)
    assert (reset.session, reset.seq, reset.ack, reset.echo_ns) == (11, 1, 1, 5)
    assert frames == [bytes(8)]
    assert reset.info == {"array": [0, 1]}  # what cannot travel stays behind
    outcome, frames = peer.step(0.25, -0.5)
    assert (outcome.reward, outcome.terminated, outcome.truncated, outcome.tick) == (0.5, False, False, 1)
    assert np.frombuffer(frames[0], "<f4").tolist() == [0.25, -0.5]
    picture, frames = peer.ask(Render)
    assert isinstance(picture, Picture)
    assert picture.shape == (2, 3, 3)
    assert frames == [bytes([7]) * 18]
    assert env.applied == [("reset", 3), ("step", [0.25, -0.5])]


def test_a_message_that_comes_again_is_answered_as_before_and_not_applied_again(env: Ledger, peer: Peer) -> None:
    peer.ask(Reset)
    first = peer.step(0.1, 0.2)
    for _ in range(3):
        assert peer.step(0.1, 0.2, seq=2) == first
    assert len(env.applied) == 2


@pytest.mark.parametrize("seq", [0, 1, 4, 2**62])
def test_messages_out_of_order_are_refused(env: Ledger, peer: Peer, seq: int) -> None:
    peer.ask(Reset)
    peer.step(0.1, 0.2)
    refused, _ = peer.step(0.3, 0.3, seq=seq)
    assert (refused.code, refused.ack) == ("order", seq)
    assert len(env.applied) == 2


@pytest.mark.parametrize("action", [(np.nan, 0.0), (0.0, np.inf), (1.5, 0.0), (0.0, -1.0001)])
def test_actions_out_of_space_are_refused_and_the_next_one_is_done(env: Ledger, peer: Peer, action: Any) -> None:
    peer.ask(Reset)
    refused, _ = peer.step(*action)
    assert refused.code == "value"
    assert isinstance(peer.step(0.5, 0.5)[0], Outcome)
    assert env.applied == [("reset", None), ("step", [0.5, 0.5])]


@pytest.mark.parametrize("frames", [[], [bytes(7)], [bytes(9)], [bytes(8), bytes(8)], [b""]])
def test_actions_of_the_wrong_size_are_refused(env: Ledger, peer: Peer, frames: list[bytes]) -> None:
    peer.ask(Reset)
    refused, _ = peer.ask(Step, *frames, tick=0)
    assert refused.code == "message"
    assert len(env.applied) == 1


def test_one_controller_at_a_time(env: Ledger, peer: Peer) -> None:
    other = Peer(peer.serving, OTHER, 22)
    assert other.hello().code == "busy"
    assert other.ask(Reset)[0].code == "session"
    peer.ask(Reset)
    peer.ask(Bye)
    assert isinstance(other.hello(), Welcome)
    assert peer.step(0.0, 0.0)[0].code == "session"
    assert env.applied == [("reset", None), ("step", [0.0, 0.0])]  # the fail-safe action, at the bye


def test_the_plant_of_a_controller_that_is_gone_is_free(env: Ledger) -> None:
    connected = {ME}
    serving = Serving(env, "Ledger", connected.__contains__)
    Peer(serving).hello()
    other = Peer(serving, OTHER, 22)
    assert other.hello().code == "busy"
    connected.clear()
    assert isinstance(other.hello(), Welcome)


def test_a_session_goes_on_by_another_connection_only_where_the_old_one_broke(env: Ledger) -> None:
    connected = {ME}
    peer = Peer(Serving(env, "Ledger", connected.__contains__))
    peer.hello()
    peer.ask(Reset)
    first = peer.step(0.1, 0.2)
    peer.identity = OTHER
    assert peer.step(0.3, 0.3)[0].code == "session"
    connected.clear()
    assert peer.step(0.1, 0.2, seq=2) == first  # its answer was lost with the connection
    assert isinstance(peer.step(0.3, 0.3)[0], Outcome)
    assert len(env.applied) == 3


def test_a_session_that_is_over_never_comes_back(env: Ledger, peer: Peer) -> None:
    peer.ask(Bye)
    assert peer.hello().code == "session"
    peer.session = 12
    assert isinstance(peer.hello(), Welcome)


def test_a_plant_that_ends_in_the_middle_of_an_episode_does_its_fail_safe_action_once(env: Ledger) -> None:
    serving = Serving(env, "Ledger", lambda identity: True, [0.5, -0.5])
    peer = Peer(serving)
    peer.hello()
    serving.rest()
    peer.ask(Reset)
    serving.rest()
    serving.rest()
    assert env.applied == [("reset", None), ("step", [0.5, -0.5])]


def test_an_info_that_is_too_large_leaves_what_is_large_behind() -> None:
    class Talkative(Ledger):
        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            observation, _ = super().reset(seed=seed)
            return observation, {"picture": np.zeros((600, 800, 3), np.uint8), "speed": 1.5}

    peer = Peer(Serving(Talkative(), "Talkative", lambda identity: True))
    peer.hello()
    assert peer.ask(Reset)[0].info == {"speed": 1.5}


def test_a_space_without_rest_is_served_without_a_fail_safe_action() -> None:
    class Talker(Ledger):
        action_space = spaces.Text(5)  # type: ignore[assignment]

    env = Talker()
    peer = Peer(Serving(env, "Talker", lambda identity: True))
    _, frames = peer.send(messages.packed(Hello(protocol=PROTOCOL, session=11)))
    assert frames == []
    peer.ask(Reset)
    assert isinstance(peer.ask(Bye)[0], Outcome)
    assert len(env.applied) == 1


@pytest.mark.parametrize("what", ["render", "reward", "observation"])
def test_whatever_is_wrong_with_an_environment_is_told_and_the_plant_goes_on(what: str) -> None:
    class Odd(Ledger):
        def step(self, action: Any) -> Any:
            odd = np.zeros(3, np.float32) if what == "observation" else np.zeros(2, np.float32)
            return odd, None if what == "reward" else 0.0, False, False, {}

        def render(self) -> Any:
            raise RuntimeError("no light")

    peer = Peer(Serving(Odd(), "Odd", lambda identity: True))
    peer.hello()
    peer.ask(Reset)
    refused, _ = peer.ask(Render) if what == "render" else peer.step(0.0, 0.0)
    assert refused.code == "plant"
    assert isinstance(peer.ask(Reset)[0], Outcome)


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_actions_that_are_not_finite_are_refused_where_the_space_has_no_end(odd: float) -> None:
    class Free(Ledger):
        action_space = spaces.Box(-np.inf, np.inf, (2,), np.float32)

    env = Free()
    peer = Peer(Serving(env, "Free", lambda identity: True))
    peer.hello()
    peer.ask(Reset)
    assert peer.step(odd, 0.0)[0].code == "value"
    assert len(env.applied) == 1


def test_who_comes_back_must_begin_anew(env: Ledger, peer: Peer) -> None:
    peer.ask(Reset)
    peer.session = 12
    assert isinstance(peer.hello(), Welcome)
    assert peer.step(0.0, 0.0)[0].code == "episode"  # none of this session began
    peer.session = 11
    assert peer.step(0.0, 0.0, seq=2)[0].code == "session"


def test_a_plant_that_fails_says_so_and_can_be_reset(env: Ledger, peer: Peer) -> None:
    peer.ask(Reset)
    refused, _ = peer.step(1.0, 0.0)
    assert refused.code == "plant"
    assert "RuntimeError: the motor burns" in refused.reason
    assert peer.step(0.0, 0.0)[0].code == "episode"
    assert isinstance(peer.ask(Reset)[0], Outcome)


def test_another_version_is_refused(env: Ledger, peer: Peer) -> None:
    assert Peer(peer.serving, ME, 11).hello(PROTOCOL + 1).code == "protocol"


FIELDS = st.dictionaries(
    st.sampled_from(["kind", "session", "seq", "t_ns", "tick", "seed", "options", "protocol", "client", "more"]),
    st.one_of(
        st.integers(-(2**63), 2**64 - 1), st.text(max_size=8), st.none(), st.floats(), st.booleans(), st.just(11),
        st.sampled_from(["hello", "reset", "step", "render", "bye", "welcome"]), st.lists(st.integers(0, 3), max_size=3),
    ),
    max_size=8,
)  # fmt: skip


@given(fields=FIELDS, frames=st.lists(st.binary(max_size=16), max_size=3))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_fields_of_all_kinds_are_refused_or_mean_what_they_say(fields: dict[str, Any], frames: list[bytes]) -> None:
    env = Ledger()
    peer = Peer(Serving(env, "Ledger", lambda identity: True))
    peer.hello()
    peer.ask(Reset)
    answer, _ = peer.send(msgspec.msgpack.encode(fields), *frames)
    valid = fields.get("session") == 11 and fields.get("seq") == 2 and fields.get("kind") in ("reset", "step")
    if len(env.applied) > 1:
        assert valid
        assert isinstance(answer, Outcome)


@given(noise=st.lists(st.binary(max_size=64), max_size=4), position=st.integers(0, 200), bit=st.integers(0, 7))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_noise_and_flipped_bits_never_crash_the_plant(noise: list[bytes], position: int, bit: int) -> None:
    env = Ledger()
    peer = Peer(Serving(env, "Ledger", lambda identity: True))
    peer.hello()
    peer.ask(Reset)
    assert isinstance(peer.send(*noise)[0], Refused)
    header = bytearray(messages.packed(Step(session=11, seq=2, t_ns=0, tick=0)))
    header[position % len(header)] ^= 1 << bit
    answer, _ = peer.send(header, bytes(8))
    assert isinstance(answer, Refused | Outcome | Welcome)
    assert all(np.isfinite(what[1]).all() for what in env.applied[1:])
