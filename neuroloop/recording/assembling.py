"""Messages of many channels as whole ticks again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from gymnasium import Space
from mcap.records import Channel, Schema
from numpy.typing import NDArray

from ..loop.timing import TIMING
from ..types import LINK as LINK_INFO
from ..types import Outcome, Tick, Timed
from . import cdr
from .channels import ACTION, COLUMNS, LAST, LINK, NOT_KNOWN, NUMBERS, OBSERVATION, REWARD, SPIKES, TICK
from .channels import TIMING as TIMES
from .decoding import Decode, decoder_of, encoding_of, floats, rebuilt
from .layout import parts_of
from .recorded import Recorded
from .scan import Damaged, Message


class Assembler:
    """Takes messages in the order of the file and gives a tick back once the next one is whole, or the file ends."""

    def __init__(self, observation: Space[Any], action: Space[Any], numbers: tuple[str, ...]) -> None:
        self._spaces = {OBSERVATION: observation, ACTION: action, LAST: observation}
        self._numbers = numbers
        parts = {root: parts_of(space) for root, space in self._spaces.items()}
        self._topics = {root: [f"{root}{leaf.path}" for leaf, _, _ in parts[root]] for root in parts}
        self._leaves = {f"{root}{leaf.path}": leaf for root in parts for leaf, _, _ in parts[root]}
        self._decode: dict[str, Decode] = {
            f"{root}{leaf.path}": decoder_of(leaf, space) for root in parts for leaf, space, _ in parts[root]
        }
        self._needed = {TICK, REWARD, *self._topics[OBSERVATION], *self._topics[ACTION]}
        self._needed |= {NUMBERS} if numbers else set()
        self._channels: dict[int, str] = {}  # topics
        self._shapes: dict[str, tuple[int, ...]] = {}  # of spikes, by topic
        self._now: dict[str, Message] = {}  # messages of the tick in hand, by topic
        self._waiting: Recorded | None = None  # for the observation that it led to
        self._checked = False
        self.latest: int | None = None  # number of the latest tick that is whole

    def declared(self, item: Channel | Schema) -> None:
        """A channel. Raises `Damaged` for one that is not as neuroloop writes it."""
        if isinstance(item, Schema):
            return
        leaf = self._leaves.get(item.topic)
        if leaf is not None and item.message_encoding != encoding_of(leaf):
            raise Damaged(f"channel {item.topic} holds {item.message_encoding!r}, which does not fit its space")
        if item.topic.startswith(f"{SPIKES}/"):
            self._shapes[item.topic] = _shape(item.metadata)
            self._needed.add(item.topic)
        self._channels[item.id] = item.topic

    def message(self, message: Message) -> Recorded | None:
        """A message; a tick, if one is ready. Raises `Damaged`."""
        topic = self._channels.get(message.channel)
        if topic is None:
            raise Damaged(f"a message on channel {message.channel}, which there is not")
        if topic != TICK:
            self._now[topic] = message
            return None
        self._check_channels()
        ready = self._whole_tick() if self._now else None
        self._now = {TICK: message}
        return ready

    def finish(self) -> Iterator[Recorded]:
        """The ticks that wait where nothing more comes, if they are whole."""
        ready = None
        if self._now.keys() >= self._needed:
            ready = self._whole_tick()
        yield from (tick for tick in (ready, self._waiting) if tick is not None)
        self._now, self._waiting = {}, None

    def _check_channels(self) -> None:
        if not self._checked and (missing := self._needed - set(self._channels.values())):
            raise Damaged(f"has no channel {', '.join(sorted(missing))}")
        self._checked = True

    def _whole_tick(self) -> Recorded | None:
        """The tick before the one in hand, which now can be given back; the one in hand waits."""
        if missing := self._needed - self._now.keys():
            raise Damaged(f"a tick has no message on {', '.join(sorted(missing))}")
        if len({message.publish_ns for topic, message in self._now.items() if topic in self._needed}) > 1:
            raise Damaged("a tick holds messages of several times")
        try:
            tick = self._made()
        except ValueError as error:
            raise Damaged(f"a tick cannot be read: {error}") from None
        ready, self._waiting, self.latest = self._waiting, tick, tick.tick.tick
        return None if ready is None else _led_to(ready, tick)

    def _made(self) -> Recorded:
        now, numbers = self._now, self._numbers
        facts = floats(now[TICK].data, len(COLUMNS[TICK])).tolist()
        seq, number, episode, first, terminated, truncated, failed, n_steps = map(int, facts)
        reward, answer = floats(now[REWARD].data, 2).tolist()
        info: dict[str, Any] = {}
        if TIMES in now:
            info[TIMING] = Timed(*map(int, floats(now[TIMES].data, len(Timed._fields)).tolist()))
        if LINK in now:
            info[LINK_INFO] = _link(floats(now[LINK].data, len(COLUMNS[LINK])).tolist())
        seen = self._value(LAST) if now.keys() >= set(self._topics[LAST]) else None
        outcome = None if failed else Outcome(seen, answer, bool(terminated), bool(truncated), n_steps, info)
        tick = Tick(
            number,
            episode,
            bool(first),
            now[TICK].publish_ns,
            self._value(OBSERVATION),
            reward,
            self._value(ACTION),
            outcome,
        )
        said = floats(now[NUMBERS].data, len(numbers)).tolist() if numbers else []
        return Recorded(tick, self._spikes(), dict(zip(numbers, said, strict=True)), seq)

    def _value(self, root: str) -> Any:
        parts = (self._decode[topic](self._now[topic].data) for topic in self._topics[root])
        return rebuilt(self._spaces[root], parts)

    def _spikes(self) -> dict[str, NDArray[Any]]:
        spikes = {}
        for topic, shape in self._shapes.items():
            array, _ = cdr.decode(self._now[topic].data, "i4")
            spikes[topic.removeprefix(f"{SPIKES}/")] = array.reshape(shape).copy()
        return spikes


def _link(numbers: list[float]) -> dict[str, Any]:
    """What a link told of a tick."""
    tick, skipped, live, trip, lost = map(int, numbers)
    trip_ns = None if trip == NOT_KNOWN else trip
    return {"tick": tick, "skipped": skipped, "live": live == 1, "round_trip_ns": trip_ns, "lost": lost == 1}


def _led_to(before: Recorded, after: Recorded) -> Recorded:
    """A tick with the observation that it led to, if that is the next tick's."""
    outcome = before.tick.outcome
    if outcome is None or outcome.ended or after.tick.first or after.seq != before.seq + 1:
        return before
    return before._replace(tick=before.tick._replace(outcome=outcome._replace(observation=after.tick.observation)))


def _shape(facts: dict[str, str]) -> tuple[int, ...]:
    try:
        return msgspec.json.decode(facts.get("shape", ""), type=tuple[int, ...])
    except msgspec.DecodeError:
        raise Damaged("a channel of spikes does not say their shape") from None
