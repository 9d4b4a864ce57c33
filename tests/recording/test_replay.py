"""A replayed recording does the same, bit for bit; what differs is found where it begins, and named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from mcap.opcode import Opcode

from neuroloop import BadInput, Recorder, Recording, RecordingError, load_agent, replay
from neuroloop.agent import Agent
from neuroloop.cli.replay import lines_of
from neuroloop.errors import PlantError
from neuroloop.loop.paced import Paced
from neuroloop.loop.seen import seen
from neuroloop.recording import replay as replaying
from neuroloop.recording.comparing import bits, first_spike_that_differs
from neuroloop.recording.recorded import Recorded
from neuroloop.recording.recover import recover
from neuroloop.recording.scan import records

SEED = 17
GAIN = "projection.policy.plasticity.gain"


def recorded(agent: Agent, path: Path, steps: int) -> Path:
    with Recorder(path, agent) as recorder, agent.watched(by=recorder):
        agent.learn(steps)
    assert recorder.dropped == 0
    return path


class Falls(gymnasium.Wrapper):
    """Its motor fails once, at step `at` of its life."""

    steps, at = 0, 60

    def step(self, action: Any) -> Any:
        self.steps += 1
        if self.steps == self.at:
            raise PlantError("the motor is on fire")
        return self.env.step(action)


class Altered(Recording):
    """A recording of which a tick is changed when it is read."""

    def __init__(self, path: Path, change: Callable[[Recorded], Recorded | None]) -> None:
        super().__init__(path)
        self._change = change

    def ticks(self) -> Iterator[Recorded]:
        for one in super().ticks():
            changed = self._change(one)
            if changed is not None:
                yield changed


@pytest.fixture(scope="module")
def cartpole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    agent = load_agent("cartpole", seed=SEED)
    return recorded(agent, tmp_path_factory.mktemp("cartpole") / "a.mcap", 300)


def assert_exact(report: replaying.ReplayReport, ticks: int) -> None:
    assert report.first is None, str(report.first)
    assert (report.ticks, report.differing, report.stopped, report.weights_equal) == (ticks, 0, None, True)
    assert report.exact
    assert report.same
    assert report.elsewhere is None


AGENTS = {
    "cartpole": ("cartpole", None, (), 300),
    "Pendulum, through its warm-up": ("default", "Pendulum-v1", ("warm_up.decisions=60",), 500),
    "without spikes": ("linear", "CartPole-v1", ("warm_up.decisions=20",), 150),
    "at random": ("random", "CartPole-v1", (), 100),
    "a rule without a critic": ("r-stdp", None, (), 150),
    "an arm": ("arm-reaching", None, (), 60),
    "events": ("lane-keeping", None, (), 12),
    "a reward that is late": ("default", "neuroloop/TwoCues-v0", ("warm_up.decisions=10",), 120),
}


@pytest.mark.parametrize("name", AGENTS)
def test_a_recorded_run_is_replayed_bit_for_bit(name: str, tmp_path: Path) -> None:
    agent_name, env, settings, steps = AGENTS[name]
    if agent_name in ("arm-reaching", "lane-keeping"):
        pytest.importorskip("pybullet")
    with load_agent(agent_name, env, SEED, settings) as agent:
        path = recorded(agent, tmp_path / "a.mcap", steps)
        assert_exact(replay(path), agent.progress.ticks)


def test_packets_of_events_are_replayed_bit_for_bit(tmp_path: Path) -> None:
    from neuroloop import EventCameraWrapper

    env = EventCameraWrapper(gymnasium.make("CartPole-v1", render_mode="rgb_array"), size=(24, 16), only=True, seed=3)
    settings = ['encoder={kind="events"}', "reward.scale=1.0"]
    agent = load_agent("r-stdp", env, SEED, settings)
    path = recorded(agent, tmp_path / "a.mcap", 20)
    assert_exact(replay(path), 20)


def test_a_run_in_real_time_is_replayed_bit_for_bit(tmp_path: Path) -> None:
    agent = load_agent("cartpole", Paced(gymnasium.make("CartPole-v1"), 0.001, policy="hold"), SEED)
    path = recorded(agent, tmp_path / "a.mcap", 150)
    assert Recording(path).column("late").size == 150
    assert_exact(replay(path), 150)


def test_a_resumed_run_is_replayed_from_the_middle_of_its_episode(tmp_path: Path) -> None:
    first = load_agent("cartpole", seed=SEED)
    first.learn(333)
    resumed = Agent.load(first.save(tmp_path / "a.zip"))
    assert resumed.progress.actions
    path = recorded(resumed, tmp_path / "a.mcap", 200)
    assert_exact(replay(path), 200)


def test_a_run_whose_episode_broke_off_is_replayed(tmp_path: Path) -> None:
    agent, path = load_agent("cartpole", Falls(gymnasium.make("CartPole-v1")), SEED), tmp_path / "a.mcap"
    with Recorder(path, agent) as recorder, agent.watched(by=recorder):
        with pytest.raises(PlantError):
            agent.learn(200)
        agent.learn(100)
        agent.evaluate(1)
        agent.loop.abandon()  # as after an episode that could not be brought back
        agent.learn(50)
    assert_exact(replay(path), 59 + 1 + 150)


def test_a_run_that_broke_off_at_its_end_is_replayed_with_its_weights(tmp_path: Path) -> None:
    agent, path = load_agent("cartpole", Falls(gymnasium.make("CartPole-v1")), SEED), tmp_path / "a.mcap"
    with Recorder(path, agent) as recorder, agent.watched(by=recorder), pytest.raises(PlantError):
        agent.learn(200)
    assert_exact(replay(path), 60)


# Something differs.


def with_spike(tick: int, population: str, neuron: int, step: int) -> Callable[[Recorded], Recorded]:
    def change(one: Recorded) -> Recorded:
        if one.tick.tick == tick:
            one.spikes[population][step // 32, neuron] ^= np.int32(1 << step % 32)
        return one

    return change


@pytest.mark.parametrize(("tick", "neuron", "step"), [(0, 0, 0), (123, 99, 19), (299, 5, 7)])
def test_a_flipped_spike_is_found_where_it_is(cartpole: Path, tick: int, neuron: int, step: int) -> None:
    report = replay(Altered(cartpole, with_spike(tick, "critic", neuron, step)))
    assert report.first is not None
    assert (report.first.tick, report.first.where) == (tick, f"spikes of critic, neuron {neuron}, step {step}")
    assert {report.first.recorded, report.first.now} == {"silent", "a spike"}
    assert (report.differing, report.ticks, report.weights_equal) == (1, 300, True)
    assert not report.exact
    assert not report.same


def test_an_observation_that_was_changed_is_found_in_what_came_of_it(cartpole: Path) -> None:
    def change(one: Recorded) -> Recorded:
        observation = one.tick.observation + np.float32(0.2 * (one.tick.tick == 77))
        return one._replace(tick=one.tick._replace(observation=observation))

    report = replay(Altered(cartpole, change))
    assert report.first is not None
    assert report.first.tick == 77
    assert report.first.where.startswith("active cells of encoder, number ")
    assert report.weights_equal is False
    assert report.differing > 1


def test_a_reward_that_was_changed_is_found_in_the_td_error(tmp_path: Path) -> None:
    path = recorded(load_agent("cartpole", seed=SEED, overrides=["reward.scale=0.1"]), tmp_path / "a.mcap", 100)

    def change(one: Recorded) -> Recorded:
        return one._replace(tick=one.tick._replace(reward=one.tick.reward * (2.0 if one.tick.tick == 50 else 1.0)))

    report = replay(Altered(path, change))
    assert report.first is not None
    assert (report.first.tick, report.first.where) == (50, "td_error")


def test_an_action_that_was_changed_is_found(cartpole: Path) -> None:
    def change(one: Recorded) -> Recorded:
        action = 1 - one.tick.action if one.tick.tick == 42 else one.tick.action
        return one._replace(tick=one.tick._replace(action=action))

    report = replay(Altered(cartpole, change))
    assert report.first is not None
    assert (report.first.tick, report.first.where, report.differing) == (42, "action", 1)


def test_weights_that_were_changed_alone_are_found_at_the_end(cartpole: Path) -> None:
    recording = Recording(cartpole)
    recording.end["digest"] = "0" * 64
    report = replay(recording)
    assert (report.first, report.weights_equal, report.exact, report.same) == (None, False, False, False)


def test_the_last_bits_may_differ_elsewhere_and_it_is_said(cartpole: Path) -> None:
    def change(one: Recorded) -> Recorded:
        return one._replace(numbers=one.numbers | {"value": one.numbers["value"] * (1 + 1e-9) + 1e-12})

    here = replay(Altered(cartpole, change))
    assert not here.same
    assert here.first is not None
    assert (here.first.where, here.first.far, here.first_far) == ("value", False, None)
    other = Altered(cartpole, change)
    other.meta["versions"] = other.meta["versions"].replace('"numba":"', '"numba":"9.')
    there = replay(other)
    assert there.same
    assert not there.exact
    assert there.elsewhere is not None
    assert there.elsewhere.startswith("numba 9.")


def test_what_differs_by_more_is_no_question_of_versions(cartpole: Path) -> None:
    other = Altered(cartpole, with_spike(10, "critic", 3, 3))
    other.meta["versions"] = other.meta["versions"].replace('"numba":"', '"numba":"9.')
    report = replay(other)
    assert not report.same
    assert report.first_far == report.first


def test_an_action_of_ones_own_is_not_hidden_behind_last_bits(cartpole: Path) -> None:
    def change(one: Recorded) -> Recorded:
        numbers = one.numbers | {"value": one.numbers["value"] * (1 + 1e-9) + 1e-12}
        action = 1 - one.tick.action if one.tick.tick == 42 else one.tick.action
        return one._replace(numbers=numbers, tick=one.tick._replace(action=action))

    other = Altered(cartpole, change)
    other.meta["versions"] = other.meta["versions"].replace('"numba":"', '"numba":"9.')
    report = replay(other)
    assert report.first is not None
    assert report.first_far is not None
    assert (report.first.tick, report.first.where) == (0, "value")
    assert (report.first_far.tick, report.first_far.where) == (42, "action")
    assert not report.same


def test_a_controller_that_fails_where_the_recorded_one_went_on_is_a_difference(cartpole: Path) -> None:
    def change(one: Recorded) -> Recorded:
        gap = np.full(4, np.nan, np.float32) if one.tick.tick == 33 else one.tick.observation
        return one._replace(tick=one.tick._replace(observation=gap))

    report = replay(Altered(cartpole, change))
    assert report.first is not None
    assert (report.first.tick, report.first.where, report.ticks) == (33, "the control step", 34)
    assert "observation[0] is nan" in report.first.now
    assert not report.same


# What can be replayed of what is not whole.


def test_after_a_dropped_tick_nothing_is_replayed_and_it_is_said(cartpole: Path) -> None:
    report = replay(Altered(cartpole, lambda one: None if one.tick.tick in (200, 201) else one))
    assert (report.ticks, report.weights_equal, report.exact) == (200, None, True)
    assert report.stopped == "ticks that were dropped after tick 199 (2 of them)"


def test_a_file_that_is_cut_off_is_replayed_up_to_there(cartpole: Path, tmp_path: Path) -> None:
    path, whole = tmp_path / "cut.mcap", cartpole.read_bytes()
    path.write_bytes(whole[: len(whole) * 9 // 10])
    report = replay(path)
    assert 100 < report.ticks < 300
    assert (report.exact, report.weights_equal) == (True, None)
    assert report.stopped == f"tick {report.ticks - 1}, where the recording ends early"


def test_a_recording_that_was_cut_off_and_recovered_is_replayed(cartpole: Path, tmp_path: Path) -> None:
    path, whole = tmp_path / "cut.mcap", cartpole.read_bytes()
    path.write_bytes(whole[: len(whole) * 8 // 10])
    before = replay(path)
    after = replay(recover(path).path)
    assert after.exact
    assert after.ticks == before.ticks > 100


def test_ticks_that_damage_took_are_not_called_dropped(cartpole: Path, tmp_path: Path, capsys: Any) -> None:
    raw = bytearray(cartpole.read_bytes())
    with cartpole.open("rb") as file:
        chunk = [one for one in records(file, len(raw)) if one.opcode == Opcode.CHUNK][1]
    raw[chunk.place + chunk.size // 2] ^= 1
    (tmp_path / "a.mcap").write_bytes(raw)
    path = recover(tmp_path / "a.mcap").path
    report = replay(path)
    assert report.damaged
    assert report.stopped is not None
    assert "are missing, since the file was damaged before it was recovered, after tick" in report.stopped
    assert command(capsys, "replay", path)[0] == 1


def test_where_nothing_was_compared_it_is_not_called_equal(cartpole: Path, capsys: Any) -> None:
    report = replay(Altered(cartpole, lambda one: one if one.seq > 3 else None))
    assert report.ticks == 0
    assert not report.exact
    assert not report.same
    assert lines_of(report)[-1] == "result      nothing was compared"


@pytest.mark.parametrize(
    ("then", "now", "equal"),
    [
        (np.array([0.0]), np.array([-0.0]), False),
        (np.array([np.nan]), np.array([np.nan]), True),
        (np.array([1.0], np.float32), np.array([1.0]), False),
        (np.int64(1), 1, True),
        (np.int64(1), np.int32(1), True),
        (np.int64(1), 2, False),
    ],
)
def test_actions_are_compared_by_their_bits(then: Any, now: Any, equal: bool) -> None:
    a, b = (list(map(bits, seen(value))) for value in (then, now))
    assert (a == b) == equal


def test_a_truncated_episode_whose_end_is_not_known_stops_the_replay(tmp_path: Path) -> None:
    agent = load_agent("default", "Pendulum-v1", SEED, ["plant.action_repeat=20", "warm_up.decisions=5"])
    path = recorded(agent, tmp_path / "a.mcap", 600)

    def change(one: Recorded) -> Recorded:
        outcome = one.tick.outcome
        assert outcome is not None
        return one._replace(tick=one.tick._replace(outcome=outcome._replace(observation=None)))

    report = replay(Altered(path, change))
    assert report.stopped == "tick 9: the last observation of its episode was not recorded"
    assert (report.ticks, report.first, report.same, report.weights_equal) == (10, None, True, None)


def test_a_recording_without_a_start_or_of_another_network_is_refused(cartpole: Path) -> None:
    lost = Recording(cartpole)
    lost.__dict__["start"] = b"PK"
    with pytest.raises(RecordingError, match=r"a\.mcap: .*its start: not a neuroloop checkpoint"):
        replay(lost)

    def change(one: Recorded) -> Recorded:
        return one._replace(spikes={name: array for name, array in one.spikes.items() if name != "critic"})

    with pytest.raises(RecordingError, match=r"a\.mcap: was recorded of another network: it has no 'critic'"):
        replay(Altered(cartpole, change))


def test_no_file_and_no_recording_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="no such file"):
        replay(tmp_path / "none.mcap")
    (tmp_path / "a.mcap").write_bytes(b"dear diary")
    with pytest.raises(RecordingError, match="is not an MCAP file"):
        replay(tmp_path / "a.mcap")


# What if.


def test_nothing_changed_makes_no_difference(cartpole: Path) -> None:
    report = replay(cartpole, [f"{GAIN}=1.0"])
    changed = report.changed
    assert changed is not None
    assert report.exact
    assert (changed.settings, changed.begins, changed.ticks) == ((), "the recorded weights", 300)
    assert (changed.first, changed.first_action, changed.actions) == (None, None, 0.0)
    assert set(changed.numbers_rms.values()) == {0.0}
    assert changed.weights == {"projection.policy": 0.0, "projection.value": 0.0}
    assert all(pair.recorded == pair.changed for pair in changed.spikes.values())


def test_another_gain_begins_to_differ_after_the_first_reward_that_counts(tmp_path: Path) -> None:
    agent = load_agent("cartpole", seed=SEED)
    agent.learn(100)
    path = recorded(agent, tmp_path / "a.mcap", 300)
    report = replay(path, [f"{GAIN}=3.0"])
    changed = report.changed
    assert changed is not None
    assert report.exact, "what is changed leaves the recorded run as it was"
    assert changed.settings == (f"{GAIN}: 1.0, now 3.0",)
    assert changed.begins == "the recorded weights"
    assert changed.first is not None
    assert 101 <= changed.first.tick <= 110, "at its first tick it has learned nothing else yet"
    assert 0.0 < changed.actions < 0.5
    assert changed.first_action is not None
    assert changed.first_action >= changed.first.tick
    assert changed.weights is not None
    assert changed.weights["projection.policy"] > 0.05


def test_another_structure_begins_with_fresh_weights_and_says_so(cartpole: Path) -> None:
    changed = replay(cartpole, ["population.critic.n=40"]).changed
    assert changed is not None
    assert changed.begins == f"fresh weights, seed {SEED}, since the network is another"
    assert changed.weights is None
    assert changed.spikes["critic"].recorded > 1.5 * changed.spikes["critic"].changed
    assert changed.first is not None
    assert changed.first.where.startswith("spikes of ")


def test_another_agent_is_fed_the_same_stream(tmp_path: Path) -> None:
    path = recorded(load_agent("linear", "Pendulum-v1", SEED, ["warm_up.decisions=20"]), tmp_path / "a.mcap", 300)
    report = replay(path, ["warm_up.decisions=20"], agent="default")
    changed = report.changed
    assert changed is not None
    assert report.exact
    assert changed.ticks == report.ticks
    assert len(changed.rms) == 1
    assert 0.0 < changed.rms[0] <= 4.0
    assert changed.spikes["critic"].recorded is None
    assert changed.spikes["critic"].changed > 0.0


def test_a_changed_rule_that_fails_says_where_and_the_recorded_run_goes_on(cartpole: Path, monkeypatch: Any) -> None:
    from neuroloop.recording import changed as changing

    class Fails(changing.Feeder):
        n = 0

        def act(self, one: Recorded) -> Any:
            self.n += 1
            if self.n == 20:
                raise PlantError("no more")
            return super().act(one)

    monkeypatch.setattr(changing, "Feeder", Fails)
    report = replay(cartpole, [f"{GAIN}=2.0"])
    assert report.exact
    assert report.ticks == 300
    assert report.changed is not None
    assert (report.changed.ticks, report.changed.stopped, report.changed.weights) == (19, "tick 19: no more", None)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (["plant.action_repeat=3"], "a replay has no plant"),
        (["learner.gama=1"], "unknown key 'gama': did you mean 'gamma'"),
        ("learner.gamma=1", "must be a list of settings"),
        (["encoder.normalise.low=[0.0]"], "dimensions"),
    ],
)
def test_settings_that_cannot_be_are_refused(cartpole: Path, settings: Any, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        replay(cartpole, settings)


def test_the_first_spike_in_time_is_named_not_the_first_neuron() -> None:
    then, now = np.zeros((2, 5), np.int32), np.zeros((2, 5), np.int32)
    now[0, 1], then[0, 3], now[1, 0] = 1 << 9, -(2**31) | 1 << 4, 1
    assert first_spike_that_differs(then, now) == (4, 3, False)
    then[0], now[0] = 0, 0
    assert first_spike_that_differs(then, now) == (32, 0, True)


# The command line.


def test_the_command_tells_of_an_equal_run_and_exits_with_0(cartpole: Path, capsys: Any) -> None:
    code, out = command(capsys, "replay", cartpole)
    assert code == 0
    assert "replayed    300 decisions" in out
    assert "result      equal, bit for bit, weights too" in out


def test_the_command_tells_what_a_change_does_in_json(cartpole: Path, capsys: Any) -> None:
    code, out = command(capsys, "replay", cartpole, "--set", f"{GAIN}=3.0", "--json")
    assert code == 0
    assert out.count("\n") == 1
    report = json.loads(out)
    assert (report["exact"], report["weights_equal"], report["ticks"]) == (True, True, 300)
    assert report["changed"]["settings"] == [f"{GAIN}: 1.0, now 3.0"]
    assert report["changed"]["numbers"]["value"].keys() == {"recorded", "changed"}
    text = command(capsys, "replay", cartpole, "--set", f"{GAIN}=3.0")[1]
    assert f"what if     {GAIN}: 1.0, now 3.0" in text
    assert "weights     projection.policy: " in text


def test_what_another_agent_has_not_is_not_compared_and_each_setting_has_a_line(cartpole: Path, capsys: Any) -> None:
    lines = command(capsys, "replay", cartpole, "--agent", "linear")[1].splitlines()
    (critic,) = (line for line in lines if line.startswith("mean        modulator.critic:"))
    assert critic.endswith("now none")
    assert max(map(len, lines)) < 128
    assert any(line.startswith("            learner.kind: td, now actor-critic") for line in lines)


def test_the_command_names_a_difference_and_exits_with_1(cartpole: Path, capsys: Any, monkeypatch: Any) -> None:
    change = with_spike(123, "critic", 9, 4)
    monkeypatch.setattr(replaying, "Recording", lambda path: Altered(path, change))
    code, out = command(capsys, "replay", cartpole)
    assert code == 1
    assert "result      1 of 300 decisions differ" in out
    assert "begins at   tick 123, episode " in out
    assert "spikes of critic, neuron 9, step 4: recorded " in out


def test_the_command_refuses_what_is_no_recording(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "a.mcap").write_bytes(b"dear diary")
    assert command(capsys, "replay", tmp_path / "a.mcap")[0] == 2


def command(capsys: Any, *arguments: object) -> tuple[int, str]:
    import sys
    from unittest import mock

    from neuroloop.cli import main

    capsys.readouterr()
    with mock.patch.object(sys, "argv", ["neuroloop", *map(str, arguments)]):
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = 0 if ended.code is None else int(ended.code)
    return code, capsys.readouterr().out
