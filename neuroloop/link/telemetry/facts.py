"""What a tap publishes: a topic, a header, MessagePack with named fields, and a body of raw bytes, in which
the frames of values (`values.py`) lie one after another: many frames a message would cost the loop more than all else.

Every header holds the protocol's version, the run's number, drawn when the tap was opened, and a sequence number that rises by
one with every message of its kind, whether anybody heard it or not: a gap is what was lost on the way.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from ...errors import LinkError
from ...types import EVENT
from ..messages import MOST_HEADER, Session, Word
from ..spaces import MOST_BYTES, Spec

TELEMETRY = 1  # version of what is published
RUN, TICK, EPISODE, PICTURE, SIGHT, WEIGHTS, PLANT, BYE = (
    b"run", b"tick", b"episode", b"picture", b"sight", b"weights", b"plant", b"bye",
)  # fmt: skip
TOPICS = (RUN, TICK, EPISODE, PICTURE, SIGHT, WEIGHTS, PLANT, BYE)
ALWAYS = (RUN, BYE)  # without which nobody understands the rest
MOST_SIDE = 256  # rows and columns of weights that are published of one array
MOST_NEURONS = 1 << 26  # of all populations: what a publisher may make us allocate
Sizes = Annotated[dict[str, Annotated[int, Meta(ge=1, le=MOST_NEURONS)]], Meta(max_length=4096)]
Frames = Annotated[tuple[Annotated[int, Meta(ge=0, le=MOST_BYTES)], ...], Meta(max_length=1 << 16)]  # bytes of each

Side = Annotated[int, Meta(ge=1, le=1 << 14)]
Row = Annotated[int, Meta(ge=0, le=MOST_SIDE)]


class Facts(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """Base of all headers."""

    protocol: int
    run: Session
    seq: Word
    t_ns: Word  # on the publisher's own monotonic clock


class RunFacts(Facts, kw_only=True, tag="run"):
    """What is published, and how to read it; sent to who comes, and again once a second."""

    source: Literal["agent", "plant"]
    by: Annotated[str, Meta(max_length=200)]  # neuroloop and its version
    unix_ns: Word  # wall-clock time at `t_ns` of this message
    agent: str | None
    env: str
    seed: Word | None
    observation_space: Spec | None  # None: cannot travel, ticks are without
    action_space: Spec | None
    populations: Sizes  # neurons of each, in the order of the frame of counts
    cells: Sizes  # of each encoder that has conjunctive cells, in the order of their frame
    numbers: tuple[str, ...]
    period_ns: Word  # of a control step; 0: unknown
    deadline_ns: Word = 0  # of a plant's controller; 0: none
    criterion: float | None = None
    pictures: float = 0.0  # the most a second for who asks; 0: none


class TickFacts(Facts, kw_only=True, tag="tick"):
    """One turn of the ring. Body: observation, action, spike counts and cells as int32."""

    tick: Word
    episode: Word
    first: bool  # whether an episode begins
    reward: float  # that came with the observation
    answer: float | None  # the reward of the action; None: the plant failed, and the episode broke off
    terminated: bool = False
    truncated: bool = False
    n_steps: Word = 0  # plant steps that the action was held for
    episode_return: float  # the answer included
    spikes: dict[str, Word]  # by population
    numbers: dict[str, float]  # value, TD error, neuromodulator …
    observation: Frames  # none: it was left out
    action: Frames
    timing: dict[str, int] | None = None  # of a run in real time, ns
    link: dict[str, Any] | None = None  # of a run over a link


class EpisodeFacts(Facts, kw_only=True, tag="episode"):
    """An episode ended. No body."""

    episode: Word
    episode_return: float
    n_steps: Word  # plant steps
    mean_return: float | None  # of the last 100
    steps: Word  # plant steps of the whole training


class PictureFacts(Facts, kw_only=True, tag="picture"):
    """What the environment renders after a tick. Body: uint8."""

    tick: Word
    shape: Annotated[tuple[Annotated[int, Meta(ge=1, le=1 << 14)], ...], Meta(min_length=2, max_length=3)]


class SightFacts(Facts, kw_only=True, tag="sight"):
    """What an event camera saw in a tick, at most 50 times a second. Body: its events, unless the observation holds them, and
    now and then its frame.
    """

    tick: Word
    width: Side
    height: Side
    n_events: Annotated[int, Meta(ge=0, le=MOST_BYTES // EVENT.itemsize)]
    shape: Annotated[tuple[Side, ...], Meta(max_length=3)]  # of the frame, uint8; empty: there is none this time


class WeightsFacts(Facts, kw_only=True, tag="weights"):
    """Weights after a tick, evenly picked where they are many. Body: float32, one array after another."""

    tick: Word
    shapes: Annotated[dict[str, tuple[Row, Row]], Meta(max_length=1024)]  # (inputs, neurons) that are published
    whole: Annotated[dict[str, tuple[Word, Word]], Meta(max_length=1024)]  # that there are


class PlantFacts(Facts, kw_only=True, tag="plant"):
    """A tick of a plant that keeps its own time. Body: the action that was done; empty where no episode runs."""

    tick: Word  # of the episode
    mode: Literal["idle", "live", "fail-safe"]
    helped: Word  # ticks of the fail-safe action so far
    lapses: Word  # how often it took over
    refused: Word  # messages
    late_ns: int
    left_out: Word  # ticks before it whose time went by
    action: Frames


class ByeFacts(Facts, kw_only=True, tag="bye"):
    """The tap is closed."""

    ticks: Word  # that were published, heard or not
    overflows: Word  # how often a reader's queue ran full


AnyFacts = RunFacts | TickFacts | EpisodeFacts | PictureFacts | SightFacts | WeightsFacts | PlantFacts | ByeFacts


class _Version(msgspec.Struct):
    """What every version has."""

    protocol: int


_decoder, _version = msgspec.msgpack.Decoder(AnyFacts), msgspec.msgpack.Decoder(_Version)


def facts_of(topic: bytes, header: bytes) -> AnyFacts:
    """A header. Raises `LinkError`."""
    if len(header) > MOST_HEADER:
        raise LinkError(f"header: must have at most {MOST_HEADER} bytes, got {len(header)}")
    try:
        facts: AnyFacts = _decoder.decode(header)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        _check_version(header)
        raise LinkError(f"header: {error}") from None
    if facts.protocol != TELEMETRY:
        raise _other_version(facts.protocol)
    kind = facts.__struct_config__.tag
    if kind != topic.decode("ascii", "replace"):
        raise LinkError(f"topic: must be {kind!r}, as the header says, got {topic[:20]!r}")
    _check_finite(facts)
    return facts


def _check_version(header: bytes) -> None:
    try:
        protocol = _version.decode(header).protocol
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return
    if protocol != TELEMETRY:
        raise _other_version(protocol)


def _other_version(protocol: int) -> LinkError:
    return LinkError(f"protocol: the tap speaks version {protocol}, we {TELEMETRY}; install matching versions")


def _check_finite(facts: AnyFacts) -> None:
    """Rewards and returns are finite; numbers of a network are what they are."""
    match facts:
        case TickFacts():
            found = [facts.reward, facts.answer, facts.episode_return]
        case EpisodeFacts():
            found = [facts.episode_return, facts.mean_return]
        case RunFacts():
            found = [facts.criterion, facts.pictures]
        case _:
            return
    for number in found:
        if number is not None and not math.isfinite(number):
            raise LinkError(f"{facts.__struct_config__.tag}: rewards, returns and rates must be finite, got {number}")
