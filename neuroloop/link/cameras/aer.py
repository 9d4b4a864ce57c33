"""What travels between a plant, its camera and the controller: pictures to the camera, packets of address-events from it.

Publishers send, subscribers count: every message has the number of its publisher's run, drawn at random, and a sequence number
that rises by one, so that a gap says what was lost. A packet holds the number of the pictures that it answers.
"""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from ...errors import LinkError
from ...sensors.source import CAMERA_FRAMES
from ...settings.sensors import Pixel
from .. import messages
from ..messages import Header, Session, Word

MOST_PICTURES = 10_000  # of a step
MOST_SIDE = 1 << 16  # pixels
MOST_BYTES = 1 << 28  # of a picture
DTYPES: dict[str, np.dtype[Any]] = {"u1": np.dtype("u1"), "f4": np.dtype("<f4")}
Side = Annotated[int, Meta(ge=1, le=MOST_SIDE)]
Times = Annotated[tuple[Word, ...], Meta(max_length=MOST_PICTURES)]
Sides = Annotated[tuple[Side, ...], Meta(min_length=2, max_length=3)]


class Pictures(Header, kw_only=True, tag="pictures"):
    """What a camera at the plant's place sees in a step; a frame of raw numbers for each picture."""

    protocol: int
    run: Session  # of the publisher
    seq: Session
    t_ns: Word
    episode: Session  # since the plant was served, from 1
    tick: Word  # plant steps of the episode
    noise: Word  # seed of the camera's noise in this episode
    start_us: Word  # since the reset: what is new lies between
    end_us: Word
    times_us: Times  # of each picture, rising
    shape: Sides | None = None  # (height, width) or (height, width, 3); null where there is no picture
    dtype: Literal["u1", "f4"] = "u1"  # bytes, or light from 0 to 1


class Events(Header, kw_only=True, tag="events"):
    """A packet: one frame of address-events, 13 bytes each."""

    protocol: int
    run: Session  # of the camera
    seq: Session
    t_ns: Word
    start_us: Word  # the events lie between
    end_us: Word
    plant: Word = 0  # run, episode and tick of the pictures that it answers, and their seq; 0: a camera that runs free
    episode: Word = 0
    tick: Word = 0
    pictures: Word = 0
    missed: Word = 0  # messages with pictures that the camera did not see before this one


class Facts(Header, kw_only=True, tag="camera"):
    """What a camera is: sent whenever somebody subscribes, and when it changes."""

    protocol: int
    run: Session
    width: Annotated[int, Meta(ge=0, le=MOST_SIDE)]  # 0: as large as the pictures, of which none came yet
    height: Annotated[int, Meta(ge=0, le=MOST_SIDE)]
    pictures: str = ""  # where it gets them; empty: a camera that runs free
    joined: bool = True  # whether it is connected there
    pixel: Pixel | None = None  # null where nobody knows, as of a real one
    gamma: float | Literal["srgb"] | None = None
    seed: Word | None = None  # of the chip


class Blind(Header, kw_only=True, tag="blind"):
    """A camera could not see, and why. No frames."""

    run: Session
    seq: Session
    reason: str
    plant: Word = 0
    pictures: Word = 0  # their seq; 0: not known


class Mark(NamedTuple):
    """What a step's `info["camera_frames"]` says of its pictures, so that the controller knows which packet answers them."""

    run: int
    seq: int
    episode: int
    tick: int
    readers: int  # cameras that were there


_pictures = msgspec.msgpack.Decoder(Pictures)
_from_camera = msgspec.msgpack.Decoder(Events | Facts | Blind)


def mark_of(info: dict[str, Any]) -> Mark | None:
    """The mark of a step's pictures; None where the plant publishes none. Raises `LinkError` for what is no mark."""
    found = info.get(CAMERA_FRAMES)
    if found is None:
        return None
    try:
        return Mark(**{name: msgspec.convert(found[name], Word) for name in Mark._fields})
    except (msgspec.ValidationError, KeyError, TypeError) as error:
        raise LinkError(f"info[{CAMERA_FRAMES!r}]: {error}") from None


def packed_pictures(header: Pictures, frames: list[NDArray[Any]]) -> list[Any]:
    """Frames of a message: bytes as they are, everything else as float32."""
    if frames:
        header.shape, header.dtype = frames[0].shape, "u1" if frames[0].dtype == np.uint8 else "f4"
    dtype = DTYPES[header.dtype]
    return [messages.packed(header), *(np.ascontiguousarray(frame, dtype) for frame in frames)]


def pictures_of(message: list[Any]) -> tuple[Pictures, list[tuple[int, NDArray[Any]]]]:
    """Header and pictures with their times. Raises `LinkError`."""
    header: Pictures = messages.decoded(bytes(message[0]) if message else b"", _pictures)
    _check_protocol(header.protocol)
    raw, times = message[1:], header.times_us
    if len(raw) != len(times) or (raw and header.shape is None):
        raise LinkError(f"pictures: needs a shape, and a time for each of {len(raw)}, got {len(times)}")
    _check_times((header.start_us, *times, header.end_us) if times else (header.start_us, header.end_us))
    return header, [(t_us, _picture(frame, header)) for t_us, frame in zip(times, raw, strict=True)]


def _picture(frame: Any, header: Pictures) -> NDArray[Any]:
    dtype, shape = DTYPES[header.dtype], header.shape or ()
    n_bytes, raw = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize, memoryview(frame)
    if n_bytes > MOST_BYTES or raw.nbytes != n_bytes:
        raise LinkError(
            f"pictures: {shape} of {header.dtype} have {n_bytes} bytes, at most {MOST_BYTES}, got {raw.nbytes}"
        )
    picture: NDArray[Any] = np.frombuffer(raw, dtype).reshape(shape)
    if header.dtype == "f4" and not np.isfinite(picture).all():
        raise LinkError("pictures: light must be finite")
    return picture


def from_camera(message: list[Any]) -> Events | Facts | Blind:
    """The header of what a camera sends. Raises `LinkError`."""
    header: Events | Facts | Blind = messages.decoded(bytes(message[0]) if message else b"", _from_camera)
    if not isinstance(header, Blind):
        _check_protocol(header.protocol)
    if isinstance(header, Events):
        _check_times((header.start_us, header.end_us))
    if len(message) != 1 + isinstance(header, Events):
        raise LinkError(f"{header.__struct_config__.tag}: has {len(message) - 1} frames, which is wrong")
    return header


def _check_times(times: tuple[int, ...]) -> None:
    if any(later < earlier for earlier, later in itertools.pairwise(times)):
        raise LinkError(f"times: must rise from start_us to end_us, got {times[:8]}")


def _check_protocol(protocol: int) -> None:
    if protocol != messages.PROTOCOL:
        raise LinkError(f"speaks version {protocol}, we {messages.PROTOCOL}; install matching versions")
