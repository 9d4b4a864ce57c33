"""Reads a recording, whole or cut off: what it is of, its ticks as they were, and columns for plots."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import msgspec
from gymnasium import Space
from mcap.opcode import Opcode
from mcap.records import Channel
from numpy.typing import NDArray

from ..errors import BadInput, LinkError, RecordingError, unknown
from ..link.spaces import Spec, rebuild
from .assembling import Assembler
from .channels import ACTION, AGAIN, FORMAT, META, NUMBERS, OBSERVATION, REWARD, START, TICK
from .checksum import checksum, signed
from .columns import Columns, columns_of
from .decoding import Decode, decoder_of
from .finding import whole_parts
from .layout import parts_of
from .recorded import Recorded
from .scan import MAGIC, Damaged, Message, Record, attachment, check_data, facts_of, records, unpacked, within
from .tail import end_of


class Recording:
    """The recording in a file. Raises `RecordingError` for what is none, or cannot be read at all.

    `meta`: what it says of its run, see `docs/recording-format.md`. `observation_space`, `action_space`: of its plant.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._start: Record | None = None
        self.declared = ""  # what channels there are, as JSON; nothing in older files
        with self._open() as file:
            self.meta = self._begin(file)
            self.end = end_of(file, self._size)
        try:
            self.observation_space, self.action_space = (
                rebuild(msgspec.json.decode(self.meta[f"{name}_space"], type=Spec))
                for name in ("observation", "action")
            )
            self.numbers = msgspec.json.decode(self.meta["numbers"], type=tuple[str, ...])
        except (KeyError, LinkError, msgspec.DecodeError, BadInput) as error:
            raise RecordingError(f"{self.path}: does not say what its values are: {error}") from None

    @property
    def spaces(self) -> tuple[Space[Any], Space[Any]]:
        """Of observations and of actions."""
        return self.observation_space, self.action_space

    @property
    def needed(self) -> frozenset[str]:
        """Topics on which every tick has a message, spikes apart."""
        both = ((OBSERVATION, self.observation_space), (ACTION, self.action_space))
        parts = (f"{root}{leaf.path}" for root, space in both for leaf, _, _ in parts_of(space))
        return frozenset((TICK, REWARD, *parts, *([NUMBERS] if self.numbers else [])))

    @property
    def complete(self) -> bool:
        """Whether it was closed by the run that it is of; else the run, or the file, ended early."""
        return self.end.get("reason") == "closed"

    @property
    def dropped(self) -> int | None:
        """Ticks that were dropped; None if nobody could say so any more."""
        return int(self.end["dropped"]) if "dropped" in self.end else None

    @property
    def first_dropped(self) -> int | None:
        """`seq` of the first tick that was dropped, as far as anybody could say so; replay ends before it."""
        return int(self.end["first_dropped"]) if self.end.get("first_dropped") else None

    @property
    def lost_parts(self) -> int:
        """Damaged parts that were left out when the file was recovered."""
        return int(self.end.get("lost_chunks", "0"))

    @property
    def digest(self) -> str | None:
        """Of the controller's state at the end."""
        return self.end.get("digest")

    @functools.cached_property
    def start(self) -> bytes:
        """The checkpoint that the run began with. Raises `RecordingError`."""
        with self._open() as file:
            record = self._start
            found = None if record is None else attachment(file, record)
        if found is None or found.name != START:
            raise RecordingError(f"{self.path}: holds no checkpoint to start from")
        return found.data

    def ticks(self) -> Iterator[Recorded]:
        """Every tick that can be read, in order.

        Raises `RecordingError` where the file is damaged, after the ticks before; a file that is cut off just ends. The
        observation that a tick led to is that of the next tick; None where neither that nor the last one was recorded.
        """
        assembler = Assembler(self.observation_space, self.action_space, self.numbers)
        damage: RecordingError | None = None
        try:
            for chunk in self.chunks():
                for item in within(chunk):
                    if not isinstance(item, Message):
                        assembler.declared(item)
                    elif (ready := assembler.message(item)) is not None:
                        yield ready
        except Damaged as error:
            damage = error
        yield from assembler.finish()
        if damage is not None:
            upto = "no tick can be read" if assembler.latest is None else f"readable up to tick {assembler.latest}"
            raise RecordingError(f"{self.path}: {damage}; {upto}")

    def chunks(self) -> Iterator[memoryview]:
        """What is in each chunk that is whole, checked. Raises `Damaged`, at the end too if the file's checksum is wrong."""
        with self._open() as file:
            opcode = 0
            for record in records(file, self._size):
                opcode = record.opcode
                if opcode == Opcode.CHUNK:
                    yield unpacked(file, record)
                elif opcode == Opcode.DATA_END:
                    check_data(file, record)
                elif opcode in (Opcode.MESSAGE, Opcode.FOOTER):
                    raise Damaged(f"byte {record.place}: a record that neuroloop does not write there")
            if opcode != Opcode.DATA_END and self.end:
                raise Damaged("the file has an end, but not all before it can be read")

    def column(self, name: str) -> NDArray[Any]:
        """One number of every tick: t_ns, seq, tick, episode, first, terminated, truncated, failed, n_steps, reward (what
        answered the action), return (of the episode up to there), a name of `numbers`, of `Timed`, or `link.` and what a link
        tells. Raises `RecordingError`.
        """
        columns = self._columns.ticks
        if name not in columns:
            raise RecordingError(f"{self.path}: {unknown('column', name, columns)}")
        return columns[name]

    @property
    def columns(self) -> tuple[str, ...]:
        """Names that `column` knows."""
        return tuple(self._columns.ticks)

    def episodes(self) -> dict[str, NDArray[Any]]:
        """Number, return and plant steps of every episode that ended."""
        return self._columns.episodes

    @functools.cached_property
    def _columns(self) -> Columns:
        try:
            return columns_of(self.chunks(), self.numbers, self.needed)
        except Damaged as error:
            raise RecordingError(f"{self.path}: {error}; `neuroloop recover` keeps what can be read") from None

    def events(self) -> Iterator[NDArray[Any]]:
        """The events of every tick's observation, camera after camera. Raises `RecordingError` if it has none."""
        topics = {f"{OBSERVATION}{leaf.path}": decoder_of(leaf, space)
                  for leaf, space, _ in parts_of(self.observation_space) if leaf.kind == "events"}  # fmt: skip
        if not topics:
            raise RecordingError(f"{self.path}: its observations hold no events")
        decoders: dict[int, Decode] = {}
        try:
            for chunk in self.chunks():
                for item in within(chunk):
                    if isinstance(item, Channel) and item.topic in topics:
                        decoders[item.id] = topics[item.topic]
                    elif isinstance(item, Message) and (decode := decoders.get(item.channel)) is not None:
                        yield decode(item.data)
        except (Damaged, ValueError) as error:
            raise RecordingError(f"{self.path}: {error}") from None

    def _open(self) -> IO[bytes]:
        try:
            if not self.path.is_file():
                raise RecordingError(f"{self.path}: {'is not a file' if self.path.exists() else 'no such file'}")
            self._size = self.path.stat().st_size
            return self.path.open("rb")
        except OSError as error:
            raise RecordingError(f"{self.path}: cannot be read: {error.strerror}") from None

    def _begin(self, file: IO[bytes]) -> dict[str, str]:
        """What stands at the beginning."""
        if file.read(len(MAGIC)) != MAGIC:
            raise RecordingError(f"{self.path}: is not an MCAP file")
        found: dict[str, dict[str, str]] = {}
        damage = ""
        try:
            for record in records(file, self._size):
                if record.opcode == Opcode.METADATA:
                    name, facts = facts_of(file, record)
                    if name in (META, AGAIN) and name not in found:
                        found[name] = checked(facts)
                elif record.opcode == Opcode.ATTACHMENT:
                    self._start = record
                elif record.opcode in (Opcode.CHUNK, Opcode.DATA_END):
                    break
        except Damaged as error:
            damage = str(error)
            self._search(file, found)
        self.declared = found.get(AGAIN, {}).get("channels", "")
        if META in found:
            return found[META]
        if AGAIN in found:
            return signed({name: text for name, text in found[AGAIN].items() if name not in ("channels", "crc32")})
        if damage:
            raise RecordingError(f"{self.path}: {damage}; nothing can be read")
        raise RecordingError(f"{self.path}: was not recorded by neuroloop, or ends before it says of what run it is")

    def _search(self, file: IO[bytes], found: dict[str, dict[str, str]]) -> None:
        """Look for what stands at the beginning of a file that is damaged there."""
        for part in whole_parts(file, self._size):
            if part.facts is not None and part.facts[0] in (META, AGAIN) and part.facts[1].get("format") == FORMAT:
                found.setdefault(*part.facts)
            elif part.record is not None and part.record.opcode == Opcode.ATTACHMENT:
                self._start = part.record
            elif part.chunk is not None:
                return


def checked(facts: dict[str, str]) -> dict[str, str]:
    """Facts whose checksum fits, of a version that we read. Raises `Damaged`."""
    if facts.get("format") != FORMAT:
        raise Damaged(f"has the format {facts.get('format')!r}; this version reads {FORMAT}")
    if facts.get("crc32") != str(checksum(facts)):
        raise Damaged("the checksum of what it says of its run does not fit")
    return facts
