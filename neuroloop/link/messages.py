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
MOST_HEADER = 1 << 20  # bytes
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
    """The plant is the controller's. No frames but those of the fail-safe action."""

    protocol: int
    session: Session
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

    code: Literal["busy", "protocol", "session", "message", "order", "value", "plant"]
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
    tick: Word
    reward: float = 0.0
    terminated: bool = False
    truncated: bool = False
    live: bool = True  # whether the controller's action was done, and not the fail-safe one
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


def packed(header: Header) -> bytes:
    """A header as bytes."""
    return _encoder.encode(header)


def told(outcome: Outcome) -> bytes:
    """An outcome as bytes, with what can travel of its info: numbers, text, lists and dictionaries of these; arrays become
    lists."""
    try:
        return _encoder.encode(outcome)
    except UNABLE:
        outcome.info = {str(key): value for key, value in outcome.info.items() if _travels(value)}
        return _encoder.encode(outcome)


def _travels(value: Any) -> bool:
    try:
        _encoder.encode(value)
    except UNABLE:
        return False
    return True


def from_controller(header: bytes) -> FromController:
    """A controller's header. Raises `LinkError`."""
    return _decoded(header, _from_controller)  # type: ignore[no-any-return]


def from_plant(header: bytes) -> FromPlant:
    """A plant's header. Raises `LinkError`."""
    return _decoded(header, _from_plant)  # type: ignore[no-any-return]


def _decoded(header: bytes, decoder: msgspec.msgpack.Decoder[Any]) -> Any:
    if len(header) > MOST_HEADER:
        raise LinkError(f"header: must have at most {MOST_HEADER} bytes, got {len(header)}")
    try:
        return decoder.decode(header)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise LinkError(f"header: {error}") from None
