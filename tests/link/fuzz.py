"""Makes the corpus of messages that must do no harm, and looks for more.

    python tests/link/fuzz.py make             # writes corpus.bin anew; what was found stays
    python tests/link/fuzz.py look 100000 7    # so many damages at random, seed 7; keeps what a plant did not survive

An entry is (to whom, what is wrong, frames). Those to the plant meet one that has a controller: session 11, whose reset (seq 1)
and step (seq 2) were done. Those to the controller answer its reset: session and ack are filled in where they stand for SESSION
and ACK, since controllers choose their numbers at random.
"""

from __future__ import annotations

import random
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import msgspec
import numpy as np
from gymnasium import spaces

from neuroloop.link.live import LivePlant
from neuroloop.link.serving import Serving
from neuroloop.loop.safety import Guard

CORPUS = Path(__file__).with_name("corpus.bin")
SESSION, ACK = 2**62 + 12345, 2**61 + 54321  # placeholders, nine bytes each in MessagePack
Entry = tuple[str, str, list[bytes]]
pack = msgspec.msgpack.encode

MINE = {"session": 11, "seq": 3, "t_ns": 5}
HELLO = {"kind": "hello", "protocol": 1, "session": 12, "client": "fuzz"}
RESET = {"kind": "reset", **MINE, "seed": 1, "options": None}
STEP = {"kind": "step", **MINE, "tick": 1}
RENDER, BYE = {"kind": "render", **MINE}, {"kind": "bye", **MINE}
GOOD, HELD = np.array([0.25, -0.25], "<f4").tobytes(), np.array([0.5, 0.5], "<f4").tobytes()
TO_PLANT: dict[str, tuple[dict[str, Any], list[bytes]]] = {
    "hello": (HELLO, []), "reset": (RESET, []), "step": (STEP, [GOOD]), "render": (RENDER, []), "bye": (BYE, []),
}  # fmt: skip

BOX = {"kind": "box", "shape": [2], "dtype": "f4", "low": bytes(4), "high": np.float32(1).tobytes()}
THEIRS = {"session": SESSION, "seq": 1, "ack": ACK, "t_ns": 5}
WELCOME = {
    "kind": "welcome", "protocol": 1, "session": SESSION, "plant": 3, "episode": None, "env": "Fuzz-v0",
    "observation_space": BOX, "action_space": BOX, "mode": "lockstep", "period_ns": 0, "deadline_ns": 0,
    "criterion": None, "max_steps": None, "render": True,
}  # fmt: skip
OUTCOME = {
    "kind": "outcome", **THEIRS, "echo_ns": 5, "episode": 1, "tick": 0, "reward": 0.0, "terminated": False,
    "truncated": False, "live": True, "age_ns": 0, "late_ns": 0, "held": 0, "left_out": 0, "info": {},
}  # fmt: skip
REFUSED = {"kind": "refused", "code": "plant", "reason": "no", "session": SESSION, "ack": ACK}
PICTURE = {"kind": "picture", **THEIRS, "shape": [1, 2, 3]}
TO_CONTROLLER: dict[str, tuple[dict[str, Any], list[bytes]]] = {
    "welcome": (WELCOME, []), "outcome": (OUTCOME, [GOOD]), "refused": (REFUSED, []), "picture": (PICTURE, [bytes(6)]),
}  # fmt: skip

NONSENSE: list[Any] = [
    None, True, -1, 2**63, 2**64 - 1, 1.5, float("nan"), "", "step", "x" * 300, b"", b"\xff" * 9, [], [1, 2], {}, {"a": 1},
    {1: 2}, [[[[]]]], msgspec.msgpack.Ext(5, b"ext"),
]  # fmt: skip
RAW: list[tuple[str, list[bytes]]] = [
    ("no frame", []), ("an empty frame", [b""]), ("zeros", [bytes(64)]), ("ones", [b"\xff" * 64]),
    ("no map", [pack([1, 2, 3])]), ("a number", [pack(7)]), ("text", [pack("hello")]), ("an empty map", [pack({})]),
    ("a map without a kind", [pack(MINE)]), ("an unknown kind", [pack({"kind": "fire", **MINE})]),
    ("a map that promises 2^32 pairs", [b"\xdf\xff\xff\xff\xff"]), ("text that promises 4 GB", [b"\xdb\xff\xff\xff\xffabc"]),
    ("keys that are maps", [b"\x82\xa4kind\xa4step\x80\xa1x"]),
    ("not UTF-8", [pack({"kind": "step"}).replace(b"step", b"\xff\xfe\xfd\xfc")]),
    ("JSON", [b'{"kind": "step", "session": 11, "seq": 3}']), ("pickle", [b"cos\nsystem\n(S'true'\ntR."]),
    ("more than a header", [pack(STEP) + b"\x00", GOOD]), ("two headers", [pack(STEP), pack(STEP), GOOD]),
    ("a header of 2 MB", [pack({**STEP, "more": "x" * (1 << 21)})]),
    ("a thousand lists within lists", [b"\x81\xa4kind" + b"\x91" * 1000 + b"\xc0"]),
    ("options a thousand deep", [pack({**RESET, "options": 0})[:-1] + b"\x81\xa1a" * 1000 + b"\xc0"]),
]  # fmt: skip
WRONG_ACTIONS: list[tuple[str, list[bytes]]] = [
    ("NaN", [np.array([0, np.nan], "<f4").tobytes()]), ("infinity", [np.array([np.inf, 0], "<f4").tobytes()]),
    ("out of range", [np.array([0, 1.001], "<f4").tobytes()]), ("doubles", [np.zeros(2, "<f8").tobytes()]),
    ("another shape", [np.zeros(3, "<f4").tobytes()]),
    ("no frame", []), ("an empty frame", [b""]), ("half a frame", [GOOD[:5]]), ("two frames", [GOOD, GOOD]),
    ("a frame behind", [GOOD, b""]), ("a frame of 4 MB", [bytes(1 << 22)]),
]  # fmt: skip
WRONG_ORDER: list[tuple[str, dict[str, Any]]] = [
    ("replayed", {"seq": 1}), ("the future", {"seq": 2**62}), ("number 0", {"seq": 0}), ("a foreign session", {"session": 12}),
    ("tick of the future", {"tick": 1000}),
]  # fmt: skip


def corpus() -> list[Entry]:
    """All entries, in order."""
    return list(_to_plant()) + list(_to_controller())


def _to_plant() -> Iterator[Entry]:
    for what, frames in RAW:
        yield "plant", what, frames
    for kind, (header, frames) in TO_PLANT.items():
        yield from _fields("plant", kind, header, frames, allowed=("t_ns", "client", "seed", "options"))
        for cut in (1, len(pack(header)) // 2, len(pack(header)) - 1):
            yield "plant", f"{kind} cut at {cut}", [pack(header)[:cut], *frames]
    for what, frames in WRONG_ACTIONS:
        yield "plant", f"step with {what}", [pack(STEP), *frames]
    for what, changes in WRONG_ORDER:
        yield "plant", f"step with {what}", [pack({**STEP, **changes}), GOOD]
    for what in ("reset", "render", "bye"):
        yield "plant", f"{what} with a frame", [pack(TO_PLANT[what][0]), GOOD]
    for version in (0, 2, 2**31):
        yield "plant", f"hello of version {version}", [pack({**HELLO, "protocol": version})]
    for kind, (header, frames) in TO_CONTROLLER.items():
        yield "plant", f"a plant's {kind}", [pack(header), *frames]


def _to_controller() -> Iterator[Entry]:
    for what, frames in RAW[1:]:
        yield "controller", what, frames
    for kind, (header, frames) in TO_CONTROLLER.items():
        yield from _fields("controller", kind, header, frames, allowed=())
        for frame in (1, len(pack(header)) // 2, len(pack(header)) - 1):
            yield "controller", f"{kind} cut at {frame}", [pack(header)[:frame], *frames]
    for what, frames in WRONG_ACTIONS:
        yield "controller", f"outcome with {what}", [pack(OUTCOME), *frames]
    for shape in ([], [-1, -6], [2**40, 2**40], [0, 6], [6] * 20, [1, 2, 4]):
        yield "controller", f"picture of shape {shape}", [pack({**PICTURE, "shape": shape}), bytes(6)]
    for kind, (header, frames) in TO_PLANT.items():
        yield "controller", f"a controller's {kind}", [pack({**header, "session": SESSION}), *frames]
    for what, space in SPACES:
        yield "controller", f"welcome with {what}", [pack({**WELCOME, "observation_space": space})]


def _fields(
    to: str, kind: str, header: dict[str, Any], frames: list[bytes], allowed: tuple[str, ...]
) -> Iterator[Entry]:
    """Each field missing, and as every kind of nonsense; and one field too many."""
    yield to, f"{kind} with a field too many", [pack({**header, "more": 1}), *frames]
    for name in header:
        if name in allowed:
            continue
        yield to, f"{kind} without {name}", [pack({k: v for k, v in header.items() if k != name}), *frames]
        for odd in NONSENSE:
            if odd == header[name]:
                continue
            yield to, f"{kind} with {name} {str(odd)[:20]!r}", [pack({**header, name: odd}), *frames]


WHOLE = {"kind": "discrete", "n": 2, "start": 0}
LARGE = {**BOX, "shape": [1 << 27]}
SPACES: list[tuple[str, Any]] = [
    ("too large a space", {**BOX, "shape": [1 << 20, 1 << 20]}), ("sides below 0", {**BOX, "shape": [-1, -4]}),
    ("a hundred large spaces", {"kind": "tuple", "parts": [LARGE] * 100}),
    ("many sides", {**BOX, "shape": [2**62] * 5000}), ("an unknown dtype", {**BOX, "dtype": "O"}),
    ("bounds that are none", {**BOX, "low": b"abc"}), ("bounds the wrong way round", {**BOX, "low": np.float32(2).tobytes()}),
    ("NaN bounds", {**BOX, "low": np.float32(np.nan).tobytes()}), ("nothing to choose from", {**WHOLE, "n": 0}),
    ("2^63 to choose from", {**WHOLE, "n": 2**63}),
    ("choices that begin too high", {**WHOLE, "n": 2**62, "start": 2**62 + 2**61}),
    ("fewer keys than parts", {"kind": "dict", "keys": ["a"], "parts": [WHOLE, WHOLE]}),
    ("keys that are lists", {"kind": "dict", "keys": [[1]], "parts": [WHOLE]}),
    ("a text that ends before it begins", {"kind": "text", "shortest": 5, "longest": 2, "characters": "ab"}),
    ("a text of no characters", {"kind": "text", "shortest": 1, "longest": 2, "characters": ""}),
    ("a camera without pixels", {"kind": "events", "width": 0, "height": 1, "most_events": 1}),
    ("a graph of graphs", {"kind": "graph", "node": {"kind": "graph", "node": WHOLE, "edge": None}, "edge": None}),
    ("a graph of texts", {"kind": "graph", "node": {"kind": "text", "shortest": 0, "longest": 1, "characters": "a"}, "edge": WHOLE}),  # noqa: E501
    ("no part", {"kind": "one-of", "parts": []}),
    ("no sides", {"kind": "multi-discrete", "shape": [], "dtype": "i8", "n": [], "start": []}),
]  # fmt: skip
for _ in range(40):
    WHOLE = {"kind": "tuple", "parts": [WHOLE]}
SPACES.append(("spaces within spaces", WHOLE))


def damaged(rng: random.Random) -> tuple[bytes, list[bytes]]:
    """A message to the plant that is wrong for sure, and who sends it."""
    who, (header, frames) = b"me", rng.choice(list(TO_PLANT.values()))
    header, frames = dict(header), list(frames)
    match rng.randrange(8):
        case 0:
            return who, [rng.randbytes(rng.randrange(1, 200)) for _ in range(rng.randrange(1, 4))]
        case 1:
            return who, [pack(header)[: rng.randrange(len(pack(header)))], *frames]
        case 2:
            header["session"], header["protocol"] = rng.randrange(13, 2**60), 3
            if header["kind"] != "hello":
                del header["protocol"]
        case 3:
            header, frames = {**STEP, "seq": rng.randrange(2)}, [np.float32([rng.random(), rng.random()]).tobytes()]
        case 4:
            odd = rng.choice([float("nan"), float("inf"), -2.0, 1e30])
            header, frames = {**STEP, "seq": rng.randrange(3, 2**60)}, [np.float32(rng.sample([odd, 0.0], 2)).tobytes()]
        case 5:
            header, frames = {**STEP}, [GOOD[: rng.randrange(8)] for _ in range(rng.randrange(4))]
        case 6:
            header[rng.choice(["more", "x", "t"])] = rng.random()
        case 7:
            who = rng.choice([b"other", b"third"])
            header["session"] = 12 if header["kind"] == "hello" else 11
    return who, [pack(header), *frames]


class Ledger(gymnasium.Env[Any, Any]):
    """Writes down what is applied."""

    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    render_mode = "rgb_array"
    dt = 0.01

    def __init__(self) -> None:
        self.applied: list[Any] = []

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.applied.append(("reset", seed))
        return np.zeros(2, np.float32), {}

    def step(self, action: Any) -> Any:
        self.applied.append(action.tolist())
        return np.zeros(2, np.float32), 0.0, False, False, {}

    def render(self) -> Any:
        self.applied.append("render")
        return np.zeros((1, 1, 3), np.uint8)


Say = Callable[[list[bytes], bytes], list[Any]]


def plants() -> dict[str, tuple[Ledger, Say, Any]]:
    """Plants of both kinds, each with its controller; what they did, how to speak to them, and themselves."""
    waits, live = Ledger(), Ledger()
    serving = Serving(waits, "Ledger", lambda who: True)
    plant = LivePlant(live, "Ledger", lambda who: True, deadline=1e9, guard=Guard(live.action_space, 0.01))
    said: dict[str, tuple[Ledger, Say, Any]] = {
        "lockstep": (waits, lambda frames, who: serving.answer(who, frames), serving),
        "real time": (live, lambda frames, who: plant.take(who, frames, 0), plant),
    }
    for env, say, _ in said.values():
        say([pack({**HELLO, "session": 11})], b"me")
        say([pack({**RESET, "seq": 1})], b"me")
        plant.tick(0)
        say([pack({**STEP, "seq": 2, "tick": 0}), HELD], b"me")
        plant.tick(0)
        env.applied.clear()
    return said


def kept() -> list[Entry]:
    """What is in the file."""
    entries = msgspec.msgpack.decode(zlib.decompress(CORPUS.read_bytes()), type=list[Entry])
    return entries


def write(entries: list[Entry]) -> None:
    """Write the file."""
    CORPUS.write_bytes(zlib.compress(pack(entries), 9))
    print(f"{len(entries)} entries, {CORPUS.stat().st_size} bytes")


def look(n: int, seed: int) -> None:
    """Damage entries at random, and keep those that a plant did not survive."""
    rng, entries, found = random.Random(seed), [one for one in kept() if one[0] == "plant" and one[2]], list[Entry]()
    entries += [("plant", kind, [pack(header), *frames]) for kind, (header, frames) in TO_PLANT.items()] * 20
    for k in range(n):
        if k % 100 == 0:
            targets = plants()
        frames = [bytearray(frame[:4096]) for frame in rng.choice(entries)[2]]
        for _ in range(rng.randrange(1, 4)):
            frame = rng.choice(frames)
            if frame:
                frame[rng.randrange(len(frame))] = rng.randrange(256)
        for mode, (env, say, _) in targets.items():
            try:
                say([bytes(frame) for frame in frames], rng.choice([b"me", b"other"]))
                assert all(isinstance(did, str | tuple) or np.abs(did).max() <= 1.0 for did in env.applied)
            except Exception as error:
                print(f"{mode}: {error!r}")
                found.append(("plant", f"found: {type(error).__name__}", [bytes(frame) for frame in frames]))
    print(f"{n} messages, {len(found)} found")
    if found:
        write(kept() + found)


def main() -> None:
    """See above."""
    if sys.argv[1:2] == ["make"]:
        write(corpus() + ([one for one in kept() if one[1].startswith("found")] if CORPUS.exists() else []))
    else:
        look(int(sys.argv[2]), int(sys.argv[3]))


if __name__ == "__main__":
    main()
