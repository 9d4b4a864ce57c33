"""What travels: a header, MessagePack with named fields, and behind it frames of raw bytes (`values.py`).

The controller says hello; from the plant's welcome on every message holds the session, a sequence number that rises by one, and
the time on the sender's own monotonic clock. An answer holds the number of what it answers. Nothing of a message is applied
before all of it was found valid.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta

from ..errors import LinkError
from .spaces import Spec

PROTOCOL = 1
MOST_HEADER, MOST_FACT = 1 << 20, 1 << 13  # bytes; of one of many entries of an info that is too large
Word = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Session = Annotated[int, Meta(gt=0, le=2**63 - 1)]
Mode = Literal["lockstep", "real-time"]


class Header(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Base of all headers."""


class Hello(Header, kw_only=True, tag="hello"):
    """A controller asks for the plant."""

    protocol: int
    session: Session  # at random; the plant takes it over
    client: Annotated[str, Meta(max_length=200)] = ""


class Welcome(Header, kw_only=True, tag="welcome"):
    """The plant is the controller's. The frames are those of its fail-safe action, if it has one."""

    protocol: int
    session: Session
    plant: Word  # at random, of this serving; another one than before: a process that knows nothing of what was
    episode: Word | None = None  # the number of the one that runs
    env: str
    observation_space: Spec
    action_space: Spec
    mode: Mode
    period_ns: Word  # of a plant step; 0: unknown
    deadline_ns: Word  # without a fresh valid command for so long, the plant does its fail-safe action; 0: never
    criterion: float | None = None
    max_steps: Word | None = None  # of an episode
    render: bool = False  # whether there are pictures


class Refused(Header, kw_only=True, tag="refused"):
    """Nothing was applied, and why."""

    code: Literal["busy", "protocol", "session", "message", "order", "value", "episode", "plant"]
    reason: str
    session: Word = 0
    ack: Word = 0


class Reset(Header, kw_only=True, tag="reset"):
    """Begin an episode."""

    session: Session
    seq: Word
    t_ns: Word
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    options: dict[str, Any] | None = None


class Step(Header, kw_only=True, tag="step"):
    """Do an action, which the frames hold."""

    session: Session
    seq: Word
    t_ns: Word
    tick: Word


class Render(Header, kw_only=True, tag="render"):
    """Show a picture."""

    session: Session
    seq: Word
    t_ns: Word


class Bye(Header, kw_only=True, tag="bye"):
    """The controller leaves; the plant does its fail-safe action."""

    session: Session
    seq: Word
    t_ns: Word


class Outcome(Header, kw_only=True, tag="outcome"):
    """What came of it. The frames hold the observation."""

    session: Session
    seq: Word
    ack: Word  # number of the message that this answers
    t_ns: Word
    echo_ns: Word  # the controller's own time of that message
    episode: Word  # episodes that began there, this one included
    tick: Word
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    live: bool = True  # whether the controller's action was done, and not the fail-safe one
    age_ns: Word = 0  # since the observation was sent on which that action was decided, on the plant's own clock
    late_ns: Word = 0  # that the tick began
    held: Word = 0  # ticks before it whose time had gone by, for which the command was held; the reward is of all
    left_out: Word = 0  # such ticks that were not done
    info: dict[str, Any] = {}


class Picture(Header, kw_only=True, tag="picture"):
    """A rendered picture: one frame of uint8, or none."""

    session: Session
    seq: Word
    ack: Word
    t_ns: Word
    shape: tuple[int, ...] | None = None


FromController = Hello | Reset | Step | Render | Bye
FromPlant = Welcome | Outcome | Picture | Refused


def _plain(value: Any) -> Any:
    """numpy's numbers and arrays as what MessagePack has."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "biufSU":
            return value.tolist()
    elif isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(type(value))


UNABLE = (
    NotImplementedError,
    TypeError,
    OverflowError,
    ValueError,
    RecursionError,
)  # to encode what MessagePack has not
_encoder = msgspec.msgpack.Encoder(enc_hook=_plain)
_from_controller = msgspec.msgpack.Decoder(FromController)
_from_plant = msgspec.msgpack.Decoder(FromPlant)


def packed(header: msgspec.Struct) -> bytes:
    """A header as bytes."""
    return _encoder.encode(header)


def told(outcome: Outcome) -> bytes:
    """An outcome as bytes, with what can travel of its info: numbers, text, lists and dictionaries of these; arrays become
    lists, keys that are no text become text. Where it is too large in all, what is large stays behind."""
    try:
        whole = _encoder.encode(outcome)
        if len(whole) <= MOST_HEADER // 2 and all(type(key) is str for key in outcome.info):
            return whole
    except UNABLE:
        pass
    outcome.info = {str(key): value for key, value in outcome.info.items() if _travels(value)}
    return _encoder.encode(outcome)


def _travels(value: Any) -> bool:
    try:
        return len(_encoder.encode(value)) <= MOST_FACT
    except UNABLE:
        return False


def from_controller(header: bytes | memoryview) -> FromController:
    """A controller's header. Raises `LinkError`."""
    return decoded(header, _from_controller)  # type: ignore[no-any-return]


def from_plant(header: bytes) -> FromPlant:
    """A plant's header. Raises `LinkError`."""
    return decoded(header, _from_plant)  # type: ignore[no-any-return]


def decoded(header: bytes | memoryview, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    """A header that a decoder takes. Raises `LinkError`."""
    if len(header) > MOST_HEADER:
        raise LinkError(f"header: must have at most {MOST_HEADER} bytes, got {len(header)}")
    try:
        return decoder.decode(header)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise LinkError(f"header: {error}") from None
