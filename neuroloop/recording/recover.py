"""Makes a recording that was cut off, or is damaged, whole again: all that can be read, with an index."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import NamedTuple

from mcap.opcode import Opcode
from mcap.records import Channel, Schema
from mcap.writer import CompressionType, Writer

from ..errors import RecordingError
from .channels import ACTION, CHUNK, COLUMNS, END, FORMAT, META, NUMBERS, OBSERVATION, REWARD, SPIKES, START, TICK
from .checksum import checksum
from .decoding import floats
from .reader import Recording
from .scan import Damaged, Message, Record, records, unpacked, within
from .stream import Stream


class Recovered(NamedTuple):
    """What came of it."""

    path: Path
    ticks: int
    first_tick: int | None
    last_tick: int | None
    gaps: int  # ticks between those two that are missing
    lost_chunks: int  # that were damaged; what was cut off at the end cannot be counted
    cut_off: bool  # whether the file ended before its end
    bytes_left: int  # at its end that could not be read


def recover(path: str | Path, to: str | Path | None = None) -> Recovered:
    """Write what can be read of a recording to `to`; by default to NAME.recovered.mcap beside it.

    The file itself stays as it is. Raises `RecordingError` if nothing can be read, or `to` is there already.
    """
    source = Recording(path)
    target = source.path.with_name(f"{source.path.stem}.recovered.mcap") if to is None else Path(to)
    if target.exists():
        raise RecordingError(f"{target}: is there already; name another file")
    unfinished = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = _Copy(source, unfinished)
        found = copy.run(target)
        os.link(unfinished, target)  # unlike a rename, this never overwrites
    except FileExistsError:
        raise RecordingError(f"{target}: is there already; name another file") from None
    except OSError as error:
        raise RecordingError(f"{target}: cannot be written: {error.strerror}") from None
    finally:
        unfinished.unlink(missing_ok=True)
    return found


class _Copy:
    """A recording being written anew."""

    def __init__(self, source: Recording, path: Path) -> None:
        self._source, self._stream = source, Stream(str(path), overwrite=False)
        self._writer = Writer(self._stream, CHUNK, CompressionType.ZSTD, enable_data_crcs=True)  # type: ignore[arg-type]
        self._writer.start(library=f"neuroloop {source.meta.get('neuroloop', '')}")
        self._schemas: dict[int, int] = {}
        self._channels: dict[int, int] = {}
        self._tick_channel, self._needed = 0, set[int]()
        self._group: list[Message] = []  # messages of the tick in hand
        self._ticks: list[tuple[int, int]] = []  # seq and tick
        self._lost = 0

    def run(self, target: Path) -> Recovered:
        """Copy all that can be read."""
        self._writer.add_metadata(META, dict(self._source.meta))
        start, created = self._source.start, int(self._source.meta["started_ns"])
        self._writer.add_attachment(created, created, START, "application/zip", start)
        left = self._chunks()
        self._close_group()
        ended = self._source.end
        told = {
            **ended,
            "reason": "recovered",
            "ticks": str(len(self._ticks)),
            "lost_chunks": str(self._lost),
            "format": "1",
        }
        self._writer.add_metadata(END, told | {"crc32": str(checksum(told))})
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._stream.close()
        seqs = [seq for seq, _ in self._ticks]
        first, last = (None, None) if not seqs else (self._ticks[0][1], self._ticks[-1][1])
        gaps = seqs[-1] - seqs[0] + 1 - len(seqs) if seqs else 0
        return Recovered(target, len(seqs), first, last, gaps, self._lost, not ended, left)

    def _finish(self, ended: dict[str, str]) -> None:
        told = {**ended, "reason": "recovered", "ticks": str(len(self._ticks)), "lost_chunks": str(self._lost)}
        told["format"] = FORMAT
        self._writer.add_metadata(END, told | {"crc32": str(checksum(told))})
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._stream.close()

    def _chunks(self) -> int:
        """Copy every chunk that is whole; returns how many bytes at the end could not be read."""
        size = self._source.path.stat().st_size
        end = 0
        with self._source.path.open("rb") as file:
            try:
                for record in records(file, size):
                    end = record.place + record.size
                    if record.opcode == Opcode.DATA_END:
                        return 0
                    if record.opcode == Opcode.CHUNK:
                        self._chunk(file, record)
            except Damaged:
                self._lost += 1
        return size - end

    def _chunk(self, file: object, record: Record) -> None:
        try:
            items = list(within(unpacked(file, record)))  # type: ignore[arg-type]
        except Damaged:
            self._lost += 1
            self._group = []
            return
        for item in items:
            if isinstance(item, Schema):
                self._schemas[item.id] = self._writer.register_schema(item.name, item.encoding, item.data)
            elif isinstance(item, Channel):
                self._declare(item)
            else:
                self._message(item)

    def _declare(self, channel: Channel) -> None:
        schema = self._schemas.get(channel.schema_id, 0)
        self._channels[channel.id] = self._writer.register_channel(
            channel.topic, channel.message_encoding, schema, channel.metadata
        )
        if channel.topic == TICK:
            self._tick_channel = channel.id
        if channel.topic in (TICK, REWARD, NUMBERS) or channel.topic.startswith((OBSERVATION, ACTION, SPIKES)):
            self._needed.add(channel.id)

    def _message(self, message: Message) -> None:
        if message.channel not in self._channels:
            return
        if message.channel == self._tick_channel:
            self._close_group()
        self._group.append(message)

    def _close_group(self) -> None:
        """Write the tick in hand, if it is whole."""
        group, self._group = self._group, []
        if not group or self._needed - {one.channel for one in group}:
            return
        for one in group:
            self._writer.add_message(
                self._channels[one.channel], one.log_ns, bytes(one.data), one.publish_ns, one.sequence
            )
        seq, tick = floats(group[0].data, len(COLUMNS[TICK]))[:2]
        self._ticks.append((int(seq), int(tick)))
