"""Drives a plant that `neuroloop serve` serves, without neuroloop: ZeroMQ, MessagePack and raw arrays are all there is to it.

neuroloop serve CartPole-v1 --bind ipc:///tmp/plant/plant.ipc &
python wire_client.py ipc:///tmp/plant/plant.ipc
"""

import secrets
import sys
import time
from typing import Any

import msgspec
import zmq

socket = zmq.Context.instance().socket(zmq.DEALER)
socket.setsockopt(zmq.LINGER, 0)
socket.connect(sys.argv[1])
session, seq = secrets.randbits(62) + 1, 0


def send(kind: str, *frames: bytes, **fields: Any) -> None:
    socket.send_multipart([msgspec.msgpack.encode({"kind": kind, **fields}), *frames])


def receive() -> tuple[dict[str, Any], list[bytes]]:
    while socket.poll(10_000):
        header, *frames = socket.recv_multipart()
        if header:  # an empty one asks whether we are still connected
            fields = msgspec.msgpack.decode(header)
            if fields["kind"] == "refused":
                sys.exit(f"refused: {fields['reason']}")
            return fields, frames
    sys.exit("nobody answers")


def ask(kind: str, *frames: bytes, **fields: Any) -> tuple[dict[str, Any], list[bytes]]:
    """Send the next message of the session, and wait for what answers it."""
    global seq
    seq += 1
    send(kind, *frames, session=session, seq=seq, t_ns=time.monotonic_ns(), **fields)
    while True:
        answer, observation = receive()
        if answer.get("ack") == seq:
            return answer, observation


send("hello", protocol=1, session=session, client="wire_client.py")
welcome, _ = receive()
left_or_right, seen = welcome["action_space"], welcome["observation_space"]
if (left_or_right["kind"], left_or_right.get("n")) != ("discrete", 2) or seen.get("shape") != [4]:
    ask("bye")
    sys.exit(f"{welcome['env']}: this client pushes a pole to the left or to the right; serve CartPole-v1")
total, tick = 0.0, 0
_, (frame,) = ask("reset", seed=0)
while True:
    position, velocity, angle, spin = memoryview(frame).cast("f")  # float32[4], little-endian as this machine is
    action = int(angle + 0.5 * spin > 0.0)
    outcome, (frame,) = ask("step", action.to_bytes(8, "little"), tick=tick)
    total, tick = total + outcome["reward"], tick + 1
    if outcome["terminated"] or outcome["truncated"]:
        break
ask("bye")
print(f"{welcome['env']}: {total:g} in {tick} steps")
