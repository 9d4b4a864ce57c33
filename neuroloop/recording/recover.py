"""Makes a recording that was cut off, or is damaged, whole again: all that can be read, with an index."""

from __future__ import annotations

import contextlib
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from mcap.opcode import Opcode
from mcap.records import Channel, Schema
from mcap.writer import CompressionType, Writer

from ..errors import RecordingError
from ..whole_file import folder_beside, settle, sweep
from .channels import ACTION, AGAIN, CHUNK, COLUMNS, END, META, NUMBERS, OBSERVATION, REWARD, SPIKES, START, TICK
from .checksum import signed
from .declared import Declaration, declarations, text_of
from .decoding import floats
from .finding import whole_parts
from .reader import Recording
from .scan import Damaged, Message, within
from .stream import Stream
from .tail import summary_of


class Recovered(NamedTuple):
    """What came of it."""

    path: Path
    ticks: int
    first_tick: int | None
    last_tick: int | None
    gaps: int  # ticks between those two that are missing
    lost_chunks: int  # that were damaged; what was cut off at the end cannot be counted
    unknown: int  # messages of channels that nothing tells of any more
    cut_off: bool  # whether the file ended before its end
    bytes_left: int  # at its end that could not be read
    start: bool  # whether the checkpoint that the run began with could be read; without it there is no replay


def recover(path: str | Path, to: str | Path | None = None) -> Recovered:
    """Write what can be read of a recording to `to`; by default to NAME.recovered.mcap beside it.

    The file itself stays as it is. Raises `RecordingError` if nothing can be read, or `to` is there already.
    """
    source = Recording(path)
    target = source.path.with_name(f"{source.path.stem}.recovered.mcap") if to is None else Path(to)
    if target.exists():
        raise RecordingError(f"{target}: is there already; name another file")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target)
        with folder_beside(target) as folder:
            with contextlib.closing(Stream(str(folder / target.name), overwrite=False)) as stream:
                found = _Copy(source, stream).run(target)
            settle(folder / target.name, target)
    except FileExistsError:
        raise RecordingError(f"{target}: is there already; name another file") from None
    except OSError as error:
        raise RecordingError(f"{target}: cannot be written: {error.strerror}") from None
    return found


class _Copy:
    """A recording being written anew."""

    def __init__(self, source: Recording, stream: Stream) -> None:
        self._source, self._size = source, source.path.stat().st_size
        self._writer = Writer(stream, CHUNK, CompressionType.ZSTD, enable_data_crcs=True)  # type: ignore[arg-type]
        self._writer.start(library=f"neuroloop {source.meta.get('neuroloop', '')}")
        self._schemas: dict[int, int] = {}
        self._channels: dict[int, int] = {}
        self._tick_channel, self._needed = 0, set[int]()
        self._group: list[Message] = []  # messages of the tick in hand
        self._ticks: list[tuple[int, int]] = []  # seq and tick
        self._lost = self._unknown = 0
        self._doubtful, self._seq = 0, -1  # damaged parts since the tick in hand began, and its number

    def run(self, target: Path) -> Recovered:
        """Copy all that can be read."""
        meta = dict(self._source.meta)
        self._writer.add_metadata(META, meta)
        start, created = self._start(), int(meta["started_ns"])
        if start is not None:
            self._writer.add_attachment(created, created, START, "application/zip", start)
        declared = text_of([self._declare(one) for one in self._declarations()])
        self._writer.add_metadata(AGAIN, signed(meta | {"channels": declared}))
        left = self._copy()
        self._close_group()
        self._lost += self._doubtful
        ended = self._source.end
        self._finish({name: text for name, text in ended.items() if name != "digest" or not self._lost})
        seqs = [seq for seq, _ in self._ticks]
        first, last = (None, None) if not seqs else (self._ticks[0][1], self._ticks[-1][1])
        gaps = seqs[-1] - seqs[0] + 1 - len(seqs) if seqs else 0
        return Recovered(
            target, len(seqs), first, last, gaps, self._lost, self._unknown, not ended, left, start is not None
        )

    def _start(self) -> bytes | None:
        try:
            return self._source.start
        except RecordingError:
            return None

    def _finish(self, ended: dict[str, str]) -> None:
        told = {"reason": "recovered", "ticks": str(len(self._ticks)), "lost_chunks": str(self._lost)}
        if offered := ended.get("offered", ended.get("ticks", "")):
            told["offered"] = offered
        self._writer.add_metadata(END, signed(ended | told))
        self._writer.finish()  # type: ignore[no-untyped-call]

    def _declarations(self) -> list[Declaration]:
        """What channels there are: from the facts; in older files from the index, or the first chunk that says it."""
        if self._source.declared:
            return declarations(self._source.declared)
        with self._source.path.open("rb") as file:
            chunks = (part.chunk for part in whole_parts(file, self._size) if part.chunk is not None)
            for piece in chain([memoryview(summary_of(file, self._size))], chunks):
                if found := [one for one in _items(piece) if not isinstance(one, Message)]:
                    return found
        return []

    def _declare(self, one: Declaration) -> Declaration:
        """Declare a schema or a channel anew; returns it as it is now."""
        if isinstance(one, Schema):
            own = self._schemas[one.id] = self._writer.register_schema(one.name, one.encoding, one.data)
            return Schema(own, one.data, one.encoding, one.name)
        schema = self._schemas.get(one.schema_id, 0)
        own = self._writer.register_channel(one.topic, one.message_encoding, schema, one.metadata)
        self._channels[one.id] = own
        if one.topic == TICK:
            self._tick_channel = one.id
        if one.topic in (TICK, REWARD, NUMBERS) or one.topic.startswith((OBSERVATION, ACTION, SPIKES)):
            self._needed.add(one.id)
        return Channel(
            id=own, topic=one.topic, message_encoding=one.message_encoding, metadata=one.metadata, schema_id=schema
        )

    def _copy(self) -> int:
        """Copy every chunk that is whole; returns how many bytes at the end could not be read."""
        end = 0
        with self._source.path.open("rb") as file:
            for part in whole_parts(file, self._size):
                if part.record is None:
                    self._doubtful += 1
                    continue
                end = part.record.place + part.record.size
                if part.record.opcode == Opcode.DATA_END:
                    return 0
                for item in () if part.chunk is None else _items(part.chunk):
                    if isinstance(item, Message):
                        self._message(item)
        return self._size - end

    def _message(self, message: Message) -> None:
        if message.channel not in self._channels:
            self._unknown += 1
            return
        if message.channel == self._tick_channel:
            whole = self._close_group()
            if not whole or message.sequence != self._seq + 1 & 0xFFFFFFFF:
                self._lost += self._doubtful  # else no tick was in what is damaged
            self._doubtful, self._seq = 0, message.sequence
            self._group.append(message)
        elif self._group and message.sequence == self._seq:  # not of a tick that began in a damaged part
            self._group.append(message)

    def _close_group(self) -> bool:
        """Write the tick in hand, if it is whole."""
        group, self._group = self._group, []
        if not group:
            return self._seq < 0
        if self._needed - {one.channel for one in group}:
            return False
        for one in group:
            self._writer.add_message(
                self._channels[one.channel], one.log_ns, bytes(one.data), one.publish_ns, one.sequence
            )
        seq, tick = floats(group[0].data, len(COLUMNS[TICK]))[:2]
        self._ticks.append((int(seq), int(tick)))
        return True


def _items(piece: memoryview) -> list[Message | Declaration]:
    """What is in a chunk or an index; nothing where that is no list of records, whatever its checksum says."""
    try:
        return list(within(piece))
    except Damaged:
        return []
