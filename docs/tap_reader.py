"""Hears a tap without neuroloop: `pip install pyzmq msgspec numpy`, then `python tap_reader.py ENDPOINT`."""

import sys

import msgspec
import numpy as np
import zmq

socket = zmq.Context().socket(zmq.SUB)
for topic in (b"run", b"tick", b"bye"):
    socket.subscribe(topic)
socket.connect(sys.argv[1])
run, seq, lost = None, None, 0
while True:
    topic, header, *body = socket.recv_multipart()
    facts = msgspec.msgpack.decode(header)
    if topic == b"run":
        run = facts
    elif topic == b"bye":
        break
    elif run and facts["run"] == run["run"]:
        lost, seq = lost + (facts["seq"] - seq - 1 if seq else 0), facts["seq"]
        space, n = run["observation_space"], facts["observation"]
        seen = np.frombuffer(body[0], space["dtype"], count=np.prod(space["shape"])) if n and "dtype" in space else None
        print(facts["tick"], facts["episode_return"], facts["spikes"], seen)
print("over, lost", lost)
