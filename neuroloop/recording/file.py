"""The file as it is written: records of the ring become messages on channels."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from mcap.records import Channel, Schema
from mcap.writer import CompressionType, Writer

from ..types import EVENT
from . import cdr, raw_image
from .channels import (
    ACTION,
    AGAIN,
    CHUNK,
    COLUMNS,
    EPISODE,
    EVENTS_ENCODING,
    FRAMES_ENCODING,
    LAST,
    LINK,
    META,
    NUMBERS,
    OBSERVATION,
    RATES,
    REWARD,
    SPIKES,
    START,
    TICK,
    TIMING,
    VIEW,
    Leaf,
    Setup,
)  # fmt: skip
from .checksum import signed
from .declared import Declaration, text_of
from .raw_image import RawImage
from .records import (
    CODES,
    EPISODE_HEAD,
    FAILED,
    FIRST,
    LAST_FOLLOWS,
    LINKED,
    SIZE,
    TERMINATED,
    TIMED,
    TRUNCATED,
    head_of,
)
from .stream import Stream

PICTURE_NS = 40_000_000  # between pictures of events, which are only for looking at
Encode = Callable[[memoryview, str, int], bytes]  # of a part: its bytes, its dtype if it is not the space's, the time


class File:
    """An MCAP file being written. Raises `OSError`."""

    def __init__(self, setup: Setup) -> None:
        self.setup, self._stream = setup, Stream(setup.path, setup.overwrite)
        try:
            self._begin()
        except BaseException:  # a disk that is full: nothing is left of what did not begin
            with contextlib.suppress(OSError):
                self._stream.close()
            Path(setup.path).unlink(missing_ok=True)
            raise

    def _begin(self) -> None:
        """Write all that comes before the ticks."""
        setup = self.setup
        self._writer = Writer(self._stream, CHUNK, CompressionType.ZSTD, enable_data_crcs=True)  # type: ignore[arg-type]
        self._writer.start(library=f"neuroloop {setup.meta.get('neuroloop', '')}")
        self._schemas: dict[str, int] = {}
        self._declared: list[Declaration] = []
        self._offset = setup.wall_ns - setup.monotonic_ns
        self._seq, self._now = 0, setup.monotonic_ns
        self.add_metadata(META, setup.meta)
        checkpoint = Path(setup.checkpoint).read_bytes()
        self._writer.add_attachment(setup.wall_ns, setup.wall_ns, START, "application/zip", checkpoint)
        self._make_channels()
        self.add_metadata(AGAIN, setup.meta | {"channels": text_of(self._declared)})

    def _make_channels(self) -> None:
        setup = self.setup
        self._head = head_of(len(setup.numbers))
        self._tick = self._columns(TICK, COLUMNS[TICK])
        self._reward = self._columns(REWARD, COLUMNS[REWARD])
        self._timing = self._columns(TIMING, COLUMNS[TIMING])
        self._link = self._columns(LINK, COLUMNS[LINK])
        self._episode = self._columns(EPISODE, COLUMNS[EPISODE])
        self._numbers = self._columns(NUMBERS, setup.numbers) if setup.numbers else 0
        self._spikes = [self._raster(raster.name, raster.shape) for raster in setup.rasters]
        self._rates = self._columns(RATES, [r.name for r in setup.rasters]) if setup.rasters else 0
        self._observation = [self._part(OBSERVATION, leaf) for leaf in setup.observation]
        self._action = [self._part(ACTION, leaf) for leaf in setup.action]
        self._last = [self._part(LAST, leaf) for leaf in setup.observation]
        self._views = {k: _View(self._picture(f"{VIEW}{leaf.path}"), leaf)
                       for k, leaf in enumerate(setup.observation) if leaf.kind == "events"}  # fmt: skip

    def add_metadata(self, name: str, facts: Mapping[str, str]) -> None:
        """Facts, with a checksum of their own: MCAP has none for them."""
        self._writer.add_metadata(name, signed(facts))

    def tick(self, record: memoryview) -> None:
        """Write a tick."""
        _, flags, n_steps, seq, tick, episode, t_ns, reward, answer, *rest = self._head.unpack_from(record)
        self._seq, self._now = seq, t_ns
        first, failed = float(flags & FIRST != 0), float(flags & FAILED != 0)
        ends = float(flags & TERMINATED != 0), float(flags & TRUNCATED != 0)
        self._put(self._tick, _floats(seq, tick, episode, first, *ends, failed, n_steps))
        self._put(self._reward, _floats(reward, answer))
        if flags & TIMED:
            self._put(self._timing, _floats(*rest[:5]))
        if flags & LINKED:
            self._put(self._link, _floats(*rest[5:10]))
        if self._numbers:
            self._put(self._numbers, _floats(*rest[10:]))
        place = self._head.size
        if self._rates:
            place = self._put_spikes(record, place)
        parts = [*self._observation, *self._action, *(self._last if flags & LAST_FOLLOWS else ())]
        self._put_parts(record[place:], parts)

    def last(self, record: memoryview) -> None:
        """Write the observation that the run ended at."""
        self._put_parts(record[8:], self._last)

    def episode(self, record: memoryview) -> None:
        """Write what came of an episode."""
        _, n_steps, t_ns, episode, total = EPISODE_HEAD.unpack_from(record)
        self._now = t_ns
        self._put(self._episode, _floats(episode, total, n_steps))

    def flush(self) -> None:
        """Write the chunk in hand."""
        self._writer.flush()  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """Write the index."""
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._stream.close()

    def _put(self, channel: int, message: bytes) -> None:
        self._writer.add_message(channel, self._now + self._offset, message, self._now, self._seq & 0xFFFFFFFF)

    def _put_spikes(self, record: memoryview, place: int) -> int:
        totals = []
        for raster, (channel, prefix) in zip(self.setup.rasters, self._spikes, strict=True):
            raw = record[place : place + 4 * raster.size]
            words = np.frombuffer(raw, np.uint32)
            totals.append(float(np.bitwise_count(words).sum() if len(raster.shape) == 2 else words.size))
            self._put(channel, prefix + bytes(raw))
            place += len(raw)
        self._put(self._rates, _floats(*totals))
        return place

    def _put_parts(self, record: memoryview, parts: Sequence[tuple[int, Encode]]) -> None:
        sizes = struct.unpack_from(f"<{len(parts)}Q", record)
        place = 8 * len(parts)
        for k, (word, (channel, encode)) in enumerate(zip(sizes, parts, strict=True)):
            size = word & SIZE
            raw = record[place : place + size]
            self._put(channel, encode(raw, CODES[word >> 56], self._now + self._offset))
            place += size
            if (view := self._views.get(k)) is not None and channel == self._observation[k][0]:
                self._show(view, raw)

    def _show(self, view: _View, events: memoryview) -> None:
        picture = view.of(events, self._now)
        if picture is not None:
            self._put(view.channel, raw_image.encode(picture, self._now + self._offset))

    def _schema(self, name: str, encoding: str, text: bytes) -> int:
        if name not in self._schemas:
            own = self._schemas[name] = self._writer.register_schema(name, encoding, text)
            self._declared.append(Schema(own, text, encoding, name))
        return self._schemas[name]

    def _channel(self, topic: str, encoding: str, schema: int, facts: dict[str, str]) -> int:
        own = self._writer.register_channel(topic, encoding, schema, facts)
        self._declared.append(Channel(id=own, topic=topic, message_encoding=encoding, metadata=facts, schema_id=schema))
        return own

    def _array(self, topic: str, code: str, facts: dict[str, str]) -> int:
        schema = self._schema(cdr.schema_name(code), "ros2msg", cdr.schema(code))
        return self._channel(topic, "cdr", schema, facts)

    def _columns(self, topic: str, columns: Sequence[str]) -> int:
        return self._array(topic, "f8", {"columns": ",".join(columns)})

    def _raster(self, name: str, shape: tuple[int, ...]) -> tuple[int, bytes]:
        facts = {"shape": _text(shape), "holds": "bits" if len(shape) == 2 else "ids"}
        channel = self._array(f"{SPIKES}/{name}", "i4", facts)
        return channel, cdr.prefix("i4", int(np.prod(shape)))

    def _picture(self, topic: str, facts: dict[str, str] | None = None) -> int:
        schema = self._schema(raw_image.NAME, "protobuf", raw_image.schema())
        return self._channel(topic, "protobuf", schema, facts or {})

    def _part(self, root: str, leaf: Leaf) -> tuple[int, Encode]:
        """A channel for a part, and how its messages are made."""
        topic, facts = f"{root}{leaf.path}", {"dtype": leaf.dtype, "shape": _text(leaf.shape)}
        if leaf.kind == "numbers":
            return self._array(topic, leaf.on_wire, facts), _numbers(leaf)
        if leaf.kind == "picture":
            return self._picture(topic, facts), _pictures(leaf)
        encoding = EVENTS_ENCODING if leaf.kind == "events" else FRAMES_ENCODING
        if leaf.kind == "events":
            facts = {"height": str(leaf.height), "width": str(leaf.width), "dtype": _text(EVENT.descr)}
        return self._channel(topic, encoding, 0, facts), lambda raw, code, t_ns: bytes(raw)


class _View:
    """Pictures of events for viewers: grey where there were none, bright and dark where the last one was ON or OFF."""

    def __init__(self, channel: int, leaf: Leaf) -> None:
        self.channel, self._next = channel, 0
        self._grey = np.full((leaf.height, leaf.width), 128, np.uint8)

    def of(self, raw: memoryview, now: int) -> RawImage | None:
        """A picture, unless the last one was just shown."""
        if now < self._next:
            return None
        self._next = now + PICTURE_NS
        events, picture = np.frombuffer(raw, EVENT), self._grey.copy()
        picture[events["y"], events["x"]] = 255 * events["p"]
        return RawImage("mono8", *picture.shape, picture.tobytes())


def _numbers(leaf: Leaf) -> Encode:
    own, wire = np.dtype(f"<{leaf.dtype}"), np.dtype(f"<{leaf.on_wire}")

    def encode(raw: memoryview, code: str, t_ns: int) -> bytes:
        array = np.frombuffer(raw, f"<{code}" if code else own)
        return cdr.prefix(leaf.on_wire, array.size, code) + array.astype(wire).tobytes()

    return encode


def _pictures(leaf: Leaf) -> Encode:
    own = np.dtype(f"<{leaf.dtype}")

    def encode(raw: memoryview, code: str, t_ns: int) -> bytes:
        data = np.frombuffer(raw, f"<{code}").astype(own).tobytes() if code else raw
        return raw_image.encode(RawImage(leaf.picture, leaf.height, leaf.width, data), t_ns)

    return encode


def _floats(*values: float) -> bytes:
    return cdr.prefix("f8", len(values)) + struct.pack(f"<{len(values)}d", *values)


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
