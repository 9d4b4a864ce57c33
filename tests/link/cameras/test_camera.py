"""A camera server alone: what it answers to pictures, and to what is none."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neuroloop.errors import BadInput, PlantError
from neuroloop.link import messages
from neuroloop.link.cameras.aer import Mark, Pictures, packed_pictures
from neuroloop.link.cameras.camera import CameraServer
from neuroloop.link.cameras.packets import Packet, Packets
from neuroloop.link.endpoint import endpoint_of
from neuroloop.link.publisher import Publisher

RNG = np.random.default_rng(0)
LIGHT = [RNG.random((4, 6)).astype(np.float32) for _ in range(8)]


class Plant:
    """Publishes what the test says, and reads what the camera says."""

    def __init__(self, folder: Path) -> None:
        self.frames = Publisher(endpoint_of(f"ipc://{folder}/s/frames.ipc"))
        self.camera = CameraServer(self.frames.url, f"ipc://{folder}/s/events.ipc", "ideal")
        self.thread = threading.Thread(target=self.camera.serve)
        self.thread.start()
        self.packets = Packets(endpoint_of(self.camera.url), timeout=5.0)
        self.packets.greet(self.packets.end())
        end = time.monotonic() + 20.0
        while not self.frames.readers():
            assert time.monotonic() < end
            time.sleep(0.005)

    def show(self, seq: int, *light: Any, **more: Any) -> None:
        n = len(light)
        header: dict[str, Any] = {
            "protocol": 1, "run": 5, "seq": seq, "t_ns": 0, "episode": 1, "tick": seq, "noise": 0,
            "start_us": 1000 * seq - 1000, "end_us": 1000 * seq + n, "times_us": tuple(1000 * seq + k + 1 for k in range(n)),
        } | more  # fmt: skip
        self.frames.send(packed_pictures(Pictures(**header), list(light)))

    def answer(self, seq: int) -> Packet | None:
        return self.packets.answer_to(Mark(5, seq, 1, seq, 1), self.packets.end())

    def close(self) -> None:
        self.camera.stop()
        self.thread.join(10)
        for one in (self.camera, self.packets, self.frames):
            one.close()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    made = Plant(tmp_path)
    yield made
    made.close()


def test_each_message_with_pictures_is_answered_and_those_that_were_lost_are_counted(plant: Plant) -> None:
    assert (plant.camera.joined, plant.packets.facts and plant.packets.facts.width) == (True, 0)
    plant.show(1, LIGHT[0], LIGHT[1])
    first = plant.answer(1)
    assert first is not None
    assert (first.header.tick, first.header.missed, first.events.size > 0) == (1, 0, True)
    assert plant.packets.facts is not None
    assert (plant.packets.facts.width, plant.packets.facts.height) == (6, 4)
    plant.show(5, LIGHT[2])
    later = plant.answer(5)
    assert later is not None
    assert (later.header.missed, later.header.start_us, later.header.end_us) == (3, 1002, 5001)
    plant.show(6)  # a step without a picture
    assert (
        1002 <= later.events["t_us"].min() <= 4000
    )  # it did not see what was between, and knows of it by the next picture
    none = plant.answer(6)
    assert none is not None
    assert (none.events.size, none.header.missed) == (0, 0)
    assert (plant.packets.lost, plant.packets.missed) == (0, 3)


@pytest.mark.parametrize(
    ("light", "more", "message"),
    [
        ([np.full((4, 6), np.nan, np.float32)], {}, "light must be finite"),
        ([np.full((4, 6), 2.0, np.float32)], {}, "floats from 0 to 1"),
        ([LIGHT[0][:2]], {}, r"frames must keep their shape, got \(2, 6\) after \(4, 6\)"),
        ([LIGHT[0]], {"times_us": (500,), "start_us": 0, "end_us": 600}, "t_us must be later"),
        ([LIGHT[0]], {"protocol": 9}, "speaks version 9, we 1"),
    ],
)
def test_what_makes_no_sense_is_told_and_the_next_pictures_are_seen(
    plant: Plant, light: list[Any], more: dict[str, Any], message: str
) -> None:
    plant.show(1, LIGHT[0])
    assert plant.answer(1) is not None
    plant.show(2, *light, **more)
    with pytest.raises(PlantError, match=message):
        plant.answer(2)
    plant.show(3, LIGHT[1])
    assert plant.answer(3) is not None
    assert plant.camera.refused == 1


def test_garbage_and_what_comes_twice_change_nothing(plant: Plant) -> None:
    plant.show(1, LIGHT[0])
    assert plant.answer(1) is not None
    for garbage in ([b""], [b"x" * 50], [b"\x80", b"\x80"], [messages.packed(messages.Hello(protocol=1, session=1))]):
        plant.frames.send(garbage)
        with pytest.raises(PlantError, match="the camera cannot see: header"):
            plant.answer(2)
    plant.show(1, LIGHT[3])
    with pytest.raises(PlantError, match="seq must be above 1, got 1"):
        plant.answer(1)
    plant.show(2, LIGHT[1])
    assert plant.answer(2) is not None


def test_of_pictures_that_wait_too_long_only_the_newest_are_seen(plant: Plant) -> None:
    plant.camera.stop()
    plant.thread.join(10)
    for seq in range(1, 31):
        plant.show(seq, LIGHT[seq % 8])
    time.sleep(0.2)
    plant.camera._stopped.clear()
    plant.thread = threading.Thread(target=plant.camera.serve)
    plant.thread.start()
    packet = plant.answer(30)
    assert packet is not None
    assert plant.camera.pictures == 4
    assert (plant.packets.lost, plant.packets.missed) == (0, 0)  # these were the first ones


def test_a_camera_does_not_see_its_own_events(tmp_path: Path) -> None:
    url = f"ipc://{tmp_path}/s/a.ipc"
    with pytest.raises(BadInput, match="from another place than events go to"):
        CameraServer(url, url)
