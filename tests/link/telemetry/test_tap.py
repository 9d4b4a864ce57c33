"""A tap: whoever listens gets what happened, bit for bit; whoever does not, or stops, costs the loop nothing."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import neuroloop
from neuroloop.activity import Activity
from neuroloop.agent import Agent
from neuroloop.errors import BadInput, LinkError
from neuroloop.link import keys
from neuroloop.link.remote import RemoteEnv
from neuroloop.link.server import PlantServer
from neuroloop.link.telemetry import tap
from neuroloop.link.telemetry.facts import ByeFacts, EpisodeFacts, PictureFacts, PlantFacts, RunFacts, TickFacts
from neuroloop.link.telemetry.listening import Listener
from neuroloop.link.telemetry.tap import Tap
from neuroloop.settings import RandomConfig
from neuroloop.types import Outcome, Tick, Timed

PATIENCE = 20.0  # s, on a busy machine


class World(gymnasium.Env[Any, Any]):
    """Episodes of 10 steps that pay 1; observations are drawn."""

    action_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    dt = 0.02

    def __init__(self, space: Any = None, draws: bool = False) -> None:
        self.observation_space = space if space is not None else spaces.Box(-1.0, 1.0, (3,), np.float32)
        self.render_mode = "rgb_array" if draws else None
        self.drawn = 0

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.n = 0
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        self.n += 1
        return self.observation_space.sample(), 1.0, False, self.n == 10, {}

    def render(self) -> Any:
        self.drawn += 1
        if self.drawn > 3:
            raise RuntimeError("the lamp is broken")
        return np.full((4, 5, 3), self.drawn, np.uint8)


class Witness:
    """Writes down what a sink is told, and what the network then shows."""

    def __init__(self, agent: Agent) -> None:
        self.activity, self.seen, self.episodes = Activity(agent.controller), list[Any](), list[Any]()

    def put(self, tick: Tick) -> bool:
        spikes = {name: counts.copy() for name, counts in self.activity.counts.items()}
        cells = {name: cells.copy() for name, cells in self.activity.cells.items()}
        kept = tick._replace(observation=np.copy(tick.observation), action=np.copy(tick.action))
        self.seen.append((kept, spikes, cells, dict(zip(self.activity.numbers, self.activity.read(), strict=True))))
        return True

    def close_episode(self, *facts: Any) -> None:
        self.episodes.append(facts)


def random_agent(env: Any = None) -> Agent:
    return Agent(RandomConfig(), env if env is not None else World())


def until(what: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.005)


def attended(made: Tap, agent: Agent, topic: str = "tick") -> None:
    """Turn the ring until the tap has seen that somebody listens."""

    def turned() -> bool:
        agent.learn(1)
        return topic in made.wanted

    until(turned)


def read_along(made: Tap, agent: Agent, listener: Listener, n: int) -> list[Any]:
    """Turn the ring `n` times, no faster than everything is heard, to the end."""
    heard: list[Any] = []

    def caught_up() -> bool:
        heard.extend(iter(lambda: listener.next(0.0), None))
        return any(isinstance(one.facts, TickFacts) and one.facts.seq == made.ticks for one in heard[-3:])

    for _ in range(n // 20):
        until(caught_up)
        agent.learn(20)
    until(caught_up)
    made.close()
    return heard + list(listener)


@pytest.fixture
def place(tmp_path: Path) -> str:
    return f"ipc://{tmp_path}/tap.ipc"


def a_tick(n: int, observation: Any) -> Tick:
    outcome = Outcome(observation, 1.0, False, False, 1)
    return Tick(n, 0, n == 0, 5, observation, 1.0, np.zeros(2, np.float32), outcome)


def test_a_reader_hears_every_tick_and_episode_as_it_was(place: str) -> None:
    agent = neuroloop.load_agent("cartpole", overrides=["warm_up.decisions=5"])
    witness = Witness(agent)
    with Listener(place) as listener, Tap(place, agent) as made, agent.watched(witness), agent.watched(made):
        attended(made, agent)
        began = len(witness.seen)
        heard = read_along(made, agent, listener, 120)
    run, ticks = heard[0].facts, [one for one in heard if isinstance(one.facts, TickFacts)]
    assert isinstance(run, RunFacts)
    assert (run.agent, run.env, run.seed, run.source) == ("cartpole", "CartPole-v1", 0, "agent")
    assert (run.period_ns, run.criterion, run.deadline_ns) == (20_000_000, 475.0, 0)
    assert [one.facts.tick for one in ticks] == [tick.tick for tick, *_ in witness.seen[-len(ticks) :]]
    assert len(ticks) >= len(witness.seen) - began
    returns = 0.0
    for one, (tick, spikes, cells, numbers) in zip(ticks, witness.seen[-len(ticks) :], strict=True):
        facts = one.facts
        assert isinstance(facts, TickFacts)
        assert (facts.episode, facts.first, facts.t_ns, facts.reward) == (
            tick.episode, tick.first, tick.t_ns, tick.reward,
        )  # fmt: skip
        assert tick.outcome is not None
        assert (facts.answer, facts.terminated, facts.truncated) == tick.outcome[1:4]
        returns = facts.episode_return if not returns or facts.first else returns + tick.outcome.reward
        assert facts.episode_return == returns
        assert one.observation.tobytes() == tick.observation.tobytes()
        assert one.action == tick.action
        assert facts.numbers == numbers
        assert facts.spikes == {name: int(counts.sum()) for name, counts in spikes.items()}
        for parts, expected in ((one.spikes, spikes), (one.cells, cells)):
            assert {name: part.tolist() for name, part in parts.items()} == {
                name: part.tolist() for name, part in expected.items()
            }
    episodes = [one.facts for one in heard if isinstance(one.facts, EpisodeFacts)]
    assert [(e.episode, e.episode_return, e.n_steps) for e in episodes] == witness.episodes[-len(episodes) :]
    assert (heard[-1].facts, listener.lost) == (listener_bye(heard), 0)
    assert heard[-1].facts.ticks == len(witness.seen)


def listener_bye(heard: list[Any]) -> ByeFacts:
    (bye,) = [one.facts for one in heard if isinstance(one.facts, ByeFacts)]
    return bye


def test_a_run_that_is_tapped_is_the_same_bit_for_bit(place: str) -> None:
    free, tapped = (neuroloop.load_agent("pole", seed=3, overrides=["warm_up.decisions=5"]) for _ in range(2))
    with (
        Listener(place, ("tick", "episode", "picture")),
        Tap(place, tapped, pictures=100.0) as made,
        tapped.watched(made),
    ):
        attended(made, tapped)
        tapped.learn(200)
    free.learn(tapped.progress.steps)
    assert free.progress.returns == tapped.progress.returns
    ours, theirs = free.controller.state(), tapped.controller.state()
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_who_comes_late_is_told_of_the_run(place: str) -> None:
    agent = random_agent()
    with Listener(place), Tap(place, agent) as made, agent.watched(made):
        attended(made, agent)
        agent.learn(30)
        with Listener(place) as late:
            first = None
            while first is None:
                agent.learn(1)
                first = late.next(0.02)
            assert isinstance(first.facts, RunFacts)
            assert first.facts.env == "World"
            assert isinstance(late.next(0.0 if agent.learn(1) is None else PATIENCE).facts, TickFacts)  # type: ignore[union-attr]


def test_with_nobody_there_nothing_is_gathered_and_with_nobody_for_ticks_no_tick(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("gathered")

    agent = random_agent()
    monkeypatch.setattr(Tap, "_message", refuse)
    monkeypatch.setattr(Tap, "_show", refuse)
    with Tap(place, agent, pictures=10.0) as made, agent.watched(made):
        agent.learn(100)
        assert made.ticks == 100
        with Listener(place, "episode") as listener:
            attended(made, agent, "episode")
            agent.learn(20)
            kinds = [type(listener.next(PATIENCE).facts) for _ in range(3)]  # type: ignore[union-attr]
    assert kinds == [RunFacts, EpisodeFacts, EpisodeFacts]


def test_a_reader_that_falls_behind_counts_what_it_lost_and_finds_the_end(place: str) -> None:
    agent, observation = random_agent(), np.zeros(3, np.float32)
    with Tap(place, agent) as made, Listener(place) as listener:
        with agent.watched(made):
            attended(made, agent)
        for n in range(30_000):  # nobody reads: queues and buffers are full long before
            made.put(a_tick(n, observation))
        reader = threading.Thread(target=lambda: (time.sleep(0.05), made.close()))
        reader.start()
        ticks = [one.facts.seq for one in listener if isinstance(one.facts, TickFacts)]
        reader.join()
        assert made.overflows >= 1
        assert listener.lost > 0
        assert ticks == sorted(set(ticks))
        gaps = sum(b - a - 1 for a, b in itertools.pairwise(ticks))
        assert listener.lost == gaps
        assert len(ticks) + gaps == ticks[-1] - ticks[0] + 1


READER = """
import sys, zmq
socket = zmq.Context().socket(zmq.SUB)
socket.setsockopt(zmq.SUBSCRIBE, b"tick")
socket.connect(sys.argv[1])
print("there", flush=True)
n = 0
while True:
    socket.recv_multipart()
    n += 1
    if n == 1 or n % 20 == 0:
        print(n, flush=True)
"""


@pytest.fixture
def reader(place: str) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Starts a reader without neuroloop, which says how much it got."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, "-c", READER, place], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        return process

    yield start
    for process in started:
        os.kill(process.pid, signal.SIGCONT)
        process.kill()
        process.communicate()


def test_the_reader_of_the_documentation_hears_a_run(place: str) -> None:
    agent = random_agent()
    with Tap(place, agent) as made, agent.watched(made):
        program = Path(__file__).parents[3] / "docs" / "tap_reader.py"
        reading = subprocess.Popen([sys.executable, str(program), place], stdout=subprocess.PIPE, text=True)
        attended(made, agent)
        for _ in range(50):
            agent.learn(1)
            time.sleep(0.002)
        made.close()
        out, _ = reading.communicate(timeout=PATIENCE)
    *ticks, last = out.splitlines()
    assert last == "over, lost 0"
    assert [int(line.split()[0]) for line in ticks][-1] == agent.progress.ticks - 1
    assert all(line.endswith("]") for line in ticks)


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_a_stopped_reader_takes_nothing_from_loop_memory_or_other_readers(
    place: str, reader: Callable[[], subprocess.Popen[str]]
) -> None:
    agent = random_agent(World(spaces.Box(-1.0, 1.0, (4000,), np.float32)))
    observation = np.zeros(4000, np.float32)
    with Tap(place, agent) as made:
        stopped, good = reader(), reader()
        out = good.stdout
        assert out is not None
        began = threading.Event()
        threading.Thread(target=lambda: (out.readline(), began.set()), daemon=True).start()
        n = 0

        def tell() -> None:
            nonlocal n
            made.put(a_tick(n, observation))
            n += 1

        until(lambda: tell() or began.is_set())  # type: ignore[func-returns-value]
        time.sleep(0.2)  # the other one came before
        os.kill(stopped.pid, signal.SIGSTOP)
        while n % 20:
            tell()
        durations, before = [], resident()
        for _ in range(150):  # 48 MB: the good one must say that it has them before more follows
            for _ in range(20):
                since = time.perf_counter()
                tell()
                durations.append(time.perf_counter() - since)
            assert int(out.readline()) > 0
        assert made.overflows >= 1
        assert resident() - before < 24e6
        assert sorted(durations)[len(durations) // 2] < 0.002
        assert max(durations) < 1.0


def test_a_large_observation_is_published_now_and_then(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap, "BETWEEN_LARGE", 3_600_000_000_000)
    agent = random_agent(World(spaces.Box(0, 255, (200, 200, 3), np.uint8)))
    with Tap(place, agent) as made, Listener(place, "tick") as listener, agent.watched(made):
        attended(made, agent)
        agent.learn(20)
        made.close()
        ticks = [one for one in listener if isinstance(one.facts, TickFacts)]
    assert len(ticks) >= 20
    assert [one.observation.shape for one in ticks if one.observation is not None] in ([(200, 200, 3)], [])
    assert all(one.action.shape == (2,) for one in ticks)


def test_pictures_go_to_who_asks_at_their_rate_until_the_environment_fails(place: str) -> None:
    world = World(draws=True)
    agent = random_agent(world)
    with Tap(place, agent, pictures=1000.0) as made, agent.watched(made), Listener(place) as other:
        attended(made, agent)
        agent.learn(20)
        assert world.drawn == 0
        with Listener(place, "picture") as listener:
            attended(made, agent, "picture")
            until(lambda: agent.learn(1) and world.drawn > 3)
            agent.learn(20)
            assert world.drawn == 4
            made.close()
            shown = [one for one in listener if isinstance(one.facts, PictureFacts)]
        assert not any(isinstance(one.facts, PictureFacts) for one in other)
    assert (
        [(one.picture.shape, int(one.picture[0, 0, 0])) for one in shown]
        == [  # type: ignore[union-attr,index]
            ((4, 5, 3), n) for n in range(1, 4)
        ][-len(shown) :]
    )
    assert shown


class Odd(spaces.Space[Any]):
    """A space of one's own."""

    def sample(self, *_: Any, **__: Any) -> Any:
        return object()


def test_what_cannot_travel_is_left_out(place: str) -> None:
    agent = random_agent(World(Odd(None, None)))
    with Tap(place, agent) as made, Listener(place, "tick") as listener, agent.watched(made):
        attended(made, agent)
        made.close()
        run, tick, *_ = listener
    assert isinstance(run.facts, RunFacts)
    assert (run.facts.observation_space, run.facts.populations, run.facts.numbers) == (None, {}, ())
    assert (tick.observation, tick.spikes, tick.cells) == (None, {}, {})
    assert tick.action.shape == (2,)


def test_a_plant_that_fails_is_told_of(place: str) -> None:
    class Fails(World):
        def step(self, action: Any) -> Any:
            answer = super().step(action)
            if broken.is_set():
                raise RuntimeError("the motor burns")
            return answer

    broken = threading.Event()
    agent = random_agent(Fails())
    with Tap(place, agent) as made, Listener(place, "tick") as listener, agent.watched(made):
        attended(made, agent)
        broken.set()
        with pytest.raises(RuntimeError, match="burns"):
            agent.learn(5)
        made.close()
        last = [one.facts for one in listener if isinstance(one.facts, TickFacts)][-1]
    assert (last.answer, last.n_steps, last.terminated, last.truncated) == (None, 0, False, False)


def test_what_a_tick_says_of_its_time_and_its_link_is_published_and_what_makes_no_sense_is_not(place: str) -> None:
    agent, seen = random_agent(), np.zeros(3, np.float32)
    timed, link = Timed(1, 2, 3, 4, 5), {"tick": 7, "live": True, "round_trip_ns": None, "odd": object()}
    infos: list[dict[str, Any]] = [{"timing": timed, "link": link}, {"timing": "late", "link": 3}, {}]
    with Tap(place, agent) as made, Listener(place, "tick") as listener, agent.watched(made):
        attended(made, agent)
        began = agent.progress.ticks
        for n, info in enumerate(infos):
            outcome = Outcome(seen, 1.0, False, False, 1, info)
            made.put(Tick(began + n, 0, False, 5, seen, 1.0, np.zeros(2, np.float32), outcome))
        made.close()
        said = [one.facts for one in listener if isinstance(one.facts, TickFacts)][-3:]
    assert [(facts.timing, facts.link) for facts in said] == [
        (timed._asdict(), {"tick": 7, "live": True, "round_trip_ns": None}),
        (None, None),
        (None, None),
    ]


def test_the_newest_tick_is_given_and_older_ones_are_counted_apart(place: str) -> None:
    agent = random_agent()
    with Tap(place, agent) as made, Listener(place, newest=True) as listener, agent.watched(made):
        attended(made, agent)
        agent.learn(45)
        made.close()
        time.sleep(0.1)
        heard = [one.facts for one in listener]
    ticks = [facts.seq for facts in heard if isinstance(facts, TickFacts)]
    episodes = [facts.episode for facts in heard if isinstance(facts, EpisodeFacts)]
    assert ticks[-1] == made.ticks
    assert listener.lost == 0
    assert listener.skipped > 0
    assert episodes == list(range(episodes[0], agent.progress.episode))


def test_a_reader_follows_from_run_to_run(place: str) -> None:
    agent, runs = random_agent(), []
    with Listener(place, timeout=PATIENCE) as listener:
        for _ in range(2):
            with Tap(place, agent) as made, agent.watched(made):
                attended(made, agent)
                agent.learn(5)
            heard = [one.facts for one in listener]
            assert isinstance(heard[0], RunFacts)
            assert isinstance(heard[-1], ByeFacts)
            assert listener.lost == 0
            assert listener.next(0.2) is None  # meanwhile it sees that the tap is gone
            runs.append(heard[0].run)
    assert len(set(runs)) == 2


def test_a_tap_that_nobody_holds_any_more_says_bye(place: str) -> None:
    agent = random_agent()
    with Listener(place, "tick", timeout=PATIENCE) as listener:
        with agent.watched(Tap(place, agent)):
            until(lambda: agent.learn(1) and "tick" in agent.loop.sinks[0].wanted)  # type: ignore[attr-defined]
        assert isinstance(list(listener)[-1].facts, ByeFacts)


def test_silence_is_noticed(place: str) -> None:
    with Listener(place, timeout=0.05) as listener:
        assert listener.next() is None
        with pytest.raises(LinkError, match=r"silent for 0\.05 s"):
            list(listener)


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        ("tcp://0.0.0.0:5599", "keys"),
        ("udp://127.0.0.1:1", "ipc://PATH"),
        ("ipc://", "path"),
        ("tcp://127.0.0.1:0", "port"),
    ],
)
def test_an_endpoint_must_be_one_that_is_ours_to_open(endpoint: str, says: str) -> None:
    with pytest.raises(BadInput, match=f"^tap: .*{says}"):
        Tap(endpoint, random_agent())


def test_a_port_that_is_taken_is_said_so(place: str) -> None:
    with Tap("tcp://127.0.0.1:*", random_agent()) as made, pytest.raises(BadInput, match=r"^tap: .*in use"):
        Tap(made.url, random_agent())


def test_topics_are_checked(place: str) -> None:
    with pytest.raises(BadInput, match="did you mean 'tick'"):
        Listener(place, ["ticks"])


def test_over_a_network_only_those_with_keys_hear_it(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    public = keys.new(ours)
    keys.allow(ours, keys.new(theirs).decode(), "viewer")
    agent = random_agent()
    with Tap("tcp://0.0.0.0:*", agent, keys=ours) as made, agent.watched(made):
        there = made.url.replace("0.0.0.0", "127.0.0.1")
        with Listener(there) as stranger, Listener(there, keys=theirs, server_key=public.decode()) as friend:
            attended(made, agent)
            made.close()
            assert isinstance(list(friend)[-1].facts, ByeFacts)
            assert stranger.next(0.05) is None


def test_a_plant_tells_what_it_did_and_when_it_helped_itself(place: str) -> None:
    with (
        PlantServer(World(), place.replace("tap", "plant")) as server,
        Listener(place, timeout=PATIENCE) as listener,
    ):
        serving = threading.Thread(
            target=server.serve_in_real_time, kwargs={"deadline": 0.2, "fail_safe": [0.5, -0.5], "tap": place}
        )
        serving.start()
        try:
            modes, heard = set[str](), list[Any]()

            def hears(mode: str) -> None:
                until(lambda: heard.append(listener.next(PATIENCE)) or heard[-1].facts.mode == mode)  # type: ignore[func-returns-value]
                modes.add(mode)

            first = listener.next(PATIENCE)
            assert first is not None
            run = first.facts
            hears("idle")
            assert heard[-1].action is None
            env = RemoteEnv(server.url)
            env.reset(seed=0)
            env.step(np.array([0.25, 0.25], np.float32))
            hears("live")
            assert heard[-1].action.tolist() == [0.25, 0.25]
            env.reset(seed=0)
            hears("fail-safe")  # nobody commands
            assert heard[-1].action.tolist() == [0.5, -0.5]
            assert heard[-1].facts.helped >= 1
            env.close()
        finally:
            server.stop()
            serving.join()
    assert isinstance(run, RunFacts)
    assert (run.source, run.env, run.period_ns, run.deadline_ns) == ("plant", "World", 20_000_000, 200_000_000)
    assert all(isinstance(one.facts, PlantFacts) for one in heard)
