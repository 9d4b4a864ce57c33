"""Every tick that is written is read back as it was, to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import msgspec
import numpy as np
import pytest
from gymnasium import spaces

from neuroloop import BadInput, EventSpace, Recorder, Recording, checkpoint, load_agent
from neuroloop.agent import Agent
from neuroloop.loop.paced import Paced
from neuroloop.recording.digest import digest_of
from neuroloop.recording.recorded import Recorded
from neuroloop.types import Outcome, Timed

from .conftest import AnyPlant, record, same

SPACES = {
    "dict": spaces.Dict(b=spaces.Box(-1, 1, (3,)), a=spaces.Tuple([spaces.Discrete(5, start=-2), spaces.MultiBinary(4)])),
    "keys": spaces.Dict(
        {"a/b": spaces.Discrete(2), "a": spaces.Dict({"b": spaces.Box(0, 1, (2,)), "%2F": spaces.Discrete(3)})}
    ),
    "pictures": spaces.Dict(
        rgb=spaces.Box(0, 255, (16, 12, 3), np.uint8), grey=spaces.Box(-1, 1, (9, 9, 1), np.float32),
        two=spaces.Box(0, 255, (2, 16, 16), np.uint8), many=spaces.Box(0, 255, (40, 16, 16), np.uint8),
    ),
    "numbers": spaces.Dict(
        whole=spaces.Box(-(2**62), 2**62, (3,), np.int64), natural=spaces.Box(0, 2**62, (3,), np.uint64),
        half=spaces.Box(-1, 1, (3,), np.float16), big=spaces.Box(-1, 1, (1000,), np.float32),
        double=spaces.Box(-1, 1, (2, 2), np.float64), bits=spaces.MultiBinary((2, 3)), levels=spaces.MultiDiscrete([3, 4]),
        one=spaces.Box(-1, 1, ()), none=spaces.Box(-1, 1, (0,)), far=spaces.Discrete(5, start=2**60),
    ),
    "others": spaces.Dict(
        text=spaces.Text(10), list=spaces.Sequence(spaces.Box(0, 1, (2,))),
        either=spaces.OneOf([spaces.Discrete(3), spaces.Box(0, 1, (2,))]), graph=spaces.Graph(spaces.Box(-1, 1, (3,)), None),
    ),
    "events": spaces.Dict(camera=EventSpace(32, 24), speed=spaces.Box(-1, 1, (1,))),
}  # fmt: skip


def check(path: Path, told: list[Recorded]) -> list[Recorded]:
    recording = Recording(path)
    assert recording.complete
    assert recording.dropped == 0
    read = list(recording.ticks())
    assert [one.seq for one in read] == list(range(len(told)))
    for one, true in zip(read, told, strict=True):
        assert one.tick[:4] == true.tick[:4]
        assert one.tick.reward == true.tick.reward
        assert same(one.tick.observation, true.tick.observation)
        assert same(one.tick.action, true.tick.action)
        assert isinstance(one.tick.outcome, Outcome)
        assert isinstance(true.tick.outcome, Outcome)
        assert one.tick.outcome[1:5] == true.tick.outcome[1:5]
        assert same(one.tick.outcome.observation, true.tick.outcome.observation)
        assert same(one.spikes, true.spikes)
        assert one.numbers == true.numbers
    return read


@pytest.mark.parametrize(
    ("agent", "env"),
    [("cartpole", "CartPole-v1"), ("default", "Pendulum-v1"), ("r-stdp", "CartPole-v1"), ("linear", "Acrobot-v1")],
)
def test_ticks_of_an_agent_are_read_back_as_they_were(agent: str, env: str, tmp_path: Path) -> None:
    made = load_agent(agent, env, seed=2, overrides=["warm_up.decisions=20"])
    recorder, told = record(made, tmp_path / "run.mcap", 250)
    assert (recorder.offered, recorder.dropped, recorder.failure) == (len(told), 0, "")
    assert all(spikes.any() for spikes in told[-1].spikes.values())
    check(tmp_path / "run.mcap", told)


@pytest.mark.parametrize("name", SPACES)
def test_values_of_any_space_are_read_back_as_they_were(name: str, tmp_path: Path) -> None:
    space: Any = SPACES[name]
    action = spaces.Dict(x=spaces.Box(-1, 1, (2,)), y=spaces.Discrete(3)) if name == "dict" else None
    _, told = record(load_agent("random", AnyPlant(space, action)), tmp_path / "run.mcap", 20)
    read = check(tmp_path / "run.mcap", told)
    assert len(read) == 20
    assert space.contains(read[-1].tick.observation)


def test_the_racecar_and_what_its_event_camera_saw_are_read_back(tmp_path: Path) -> None:
    try:
        agent = load_agent("lane-keeping", overrides=["warm_up.decisions=5"])
    except BadInput as error:
        pytest.skip(str(error))
    with agent:
        _, told = record(agent, tmp_path / "run.mcap", 20)
    read = check(tmp_path / "run.mcap", told)
    assert any(one.tick.observation.any() for one in read)


class Sloppy(gymnasium.ObservationWrapper[Any, Any, Any]):
    """Observes float64 where its space says float32, as many environments do."""

    def observation(self, observation: Any) -> Any:
        return np.float64(observation) * (1.0 + 1e-12)


def test_numbers_finer_than_the_space_says_are_kept_as_they_are(tmp_path: Path) -> None:
    _, told = record(load_agent("random", Sloppy(gymnasium.make("CartPole-v1"))), tmp_path / "run.mcap", 30)
    assert told[0].tick.observation.dtype == np.float64
    check(tmp_path / "run.mcap", told)


def test_a_run_in_real_time_is_read_back_with_its_timing(tmp_path: Path) -> None:
    agent = load_agent("cartpole", Paced(gymnasium.make("CartPole-v1"), period=0.002))
    _, told = record(agent, tmp_path / "run.mcap", 60)
    read = check(tmp_path / "run.mcap", told)
    for one, true in zip(read, told, strict=True):
        assert one.tick.outcome is not None
        assert true.tick.outcome is not None
        assert one.tick.outcome.info == {"timing": true.tick.outcome.info["timing"]}
        assert isinstance(one.tick.outcome.info["timing"], Timed)
    recording = Recording(tmp_path / "run.mcap")
    assert recording.column("compute").tolist() == [
        one.tick.outcome.info["timing"].compute for one in read if one.tick.outcome
    ]


def test_what_a_link_tells_of_a_tick_is_kept(tmp_path: Path) -> None:
    class Linked(AnyPlant):
        def step(self, action: Any) -> Any:
            *answer, _ = super().step(action)
            trip = None if self.steps == 1 else 70_000 + self.steps
            link = {"tick": self.steps, "skipped": 0, "live": self.steps > 1, "round_trip_ns": trip, "lost": False}
            return *answer, {"link": link}

    _, told = record(load_agent("random", Linked(spaces.Box(-1, 1, (2,)))), tmp_path / "run.mcap", 12)
    for one, true in zip(check(tmp_path / "run.mcap", told), told, strict=True):
        assert one.tick.outcome is not None
        assert true.tick.outcome is not None
        assert one.tick.outcome.info == true.tick.outcome.info
    assert Recording(tmp_path / "run.mcap").column("link.round_trip_ns")[:2].tolist() == [-1, 70_002]


def test_a_run_that_is_recorded_does_what_it_would_do_anyway(tmp_path: Path) -> None:
    alone, recorded = (load_agent("default", "CartPole-v1", seed=5) for _ in range(2))
    alone.learn(1500)
    record(recorded, tmp_path / "run.mcap", 1500)
    assert digest_of(alone.controller.state()) == digest_of(recorded.controller.state())
    assert alone.progress.returns == recorded.progress.returns
    assert Recording(tmp_path / "run.mcap").digest == digest_of(alone.controller.state())


def test_a_recording_says_what_it_is_of(cartpole: Recording, tmp_path: Path) -> None:
    meta = cartpole.meta
    assert (meta["agent"], meta["env"], meta["seed"], meta["period"]) == ("cartpole", "CartPole-v1", "1", "0.02")
    assert msgspec.json.decode(meta["versions"]) == checkpoint.facts_of_versions()
    assert msgspec.json.decode(meta["machine"])["cores"]
    assert cartpole.observation_space == gymnasium.make("CartPole-v1").observation_space
    (tmp_path / "start.zip").write_bytes(cartpole.start)
    start = Agent.load(tmp_path / "start.zip")
    assert start.progress.ticks == 0
    start.learn(300)
    assert digest_of(start.controller.state()) == cartpole.digest


def test_columns_are_numbers_of_every_tick(cartpole: Recording) -> None:
    ticks = list(cartpole.ticks())
    assert cartpole.column("tick").tolist() == list(range(300))
    assert cartpole.column("episode").tolist() == [one.tick.episode for one in ticks]
    assert cartpole.column("t_ns").tolist() == [one.tick.t_ns for one in ticks]
    assert cartpole.column("value").tolist() == [one.numbers["value"] for one in ticks]
    episodes = cartpole.episodes()
    ends = np.flatnonzero(cartpole.column("terminated") | cartpole.column("truncated"))
    assert episodes["return"].tolist() == cartpole.column("return")[ends].tolist()
    assert episodes["n_steps"].sum() <= cartpole.column("n_steps").sum() == 300
    with pytest.raises(BadInput, match="did you mean 'reward'"):
        cartpole.column("rewards")
    with pytest.raises(BadInput, match="hold no events"):
        next(cartpole.events())


def test_events_are_read_packet_by_packet(tmp_path: Path) -> None:
    _, told = record(load_agent("random", AnyPlant(SPACES["events"])), tmp_path / "run.mcap", 10)
    packets = list(Recording(tmp_path / "run.mcap").events())
    assert same([np.asarray(p) for p in packets], [np.asarray(one.tick.observation["camera"]) for one in told])


def test_a_tick_that_the_plant_did_not_answer_is_read_back_as_such(tmp_path: Path) -> None:
    class Breaking(AnyPlant):
        def step(self, action: Any) -> Any:
            if self.steps == 3:
                raise RuntimeError("the motor broke")
            return super().step(action)

    agent = load_agent("random", Breaking(spaces.Box(-1, 1, (2,))))
    with Recorder(tmp_path / "run.mcap", agent) as recorder, agent.watched(by=recorder), pytest.raises(RuntimeError):
        agent.learn(20)
    read = list(Recording(tmp_path / "run.mcap").ticks())
    assert [one.tick.outcome is None for one in read] == [False, False, False, True]
