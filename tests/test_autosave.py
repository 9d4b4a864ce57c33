"""Checkpoints while a run goes on: whatever kills it, going on from the last one equals never having stopped."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import time
import zipfile
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from neuroloop import Autosave, checkpoint, load_agent, load_agents
from neuroloop.agent import Agent
from neuroloop.errors import BadInput, CheckpointError, DivergedError
from neuroloop.loop.paced import Paced
from neuroloop.loop.priority import undisturbed
from neuroloop.whole_file import beside, replacing, sweep

SEED = 11


def same(ours: Agent, theirs: Agent) -> None:
    a, b = ours.controller.state(), theirs.controller.state()
    assert [name for name in b if a[name].tobytes() != b[name].tobytes()] == []
    assert ours.progress.returns == theirs.progress.returns
    assert ours.progress.lengths == theirs.progress.lengths
    assert ours.progress.actions == theirs.progress.actions


def wait_for(path: Path) -> None:
    until = time.monotonic() + 30.0
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_checkpoint_is_there_while_learning_goes_on(tmp_path: Path) -> None:
    agent, path = load_agent("cartpole", seed=SEED), tmp_path / "a.zip"
    seen: list[int] = []
    with Autosave(agent, path, every=100) as save:
        path.unlink()  # the one of the beginning
        agent.learn(1_000)
        wait_for(path)
        seen.append(Agent.load(path).progress.steps)
        agent.learn(100)
    assert 100 <= seen[0] <= 1_000
    assert seen[0] % 100 == 0
    assert save.written >= 2
    assert save.failure is None
    assert not agent.loop.between
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


def test_saving_while_it_learns_changes_no_bit(tmp_path: Path) -> None:
    alone, saved = load_agent("cartpole", seed=SEED), load_agent("cartpole", seed=SEED)
    alone.learn(1_500)
    with Autosave(saved, tmp_path / "a.zip", every=50):
        saved.learn(1_500)
    same(saved, alone)


def test_what_it_writes_is_what_save_would_have_written(tmp_path: Path) -> None:
    agent = load_agent("default", "LunarLander-v3" if _has_box2d() else "CartPole-v1", seed=SEED)
    with Autosave(agent, tmp_path / "a.zip", every=3_000):
        agent.learn(3_000)
    agent.save(tmp_path / "b.zip")
    ours, theirs = checkpoint.read(tmp_path / "a.zip"), checkpoint.read(tmp_path / "b.zip")
    assert ours.toml == theirs.toml
    assert ours.facts == theirs.facts
    assert {k: (a.dtype, a.shape, a.tobytes()) for k, a in ours.arrays.items()} == {
        k: (a.dtype, a.shape, a.tobytes()) for k, a in theirs.arrays.items()
    }


def _has_box2d() -> bool:
    try:
        import Box2D  # noqa: F401
    except ImportError:
        return False
    return True


def test_a_checkpoint_by_the_clock_waits_for_the_end_of_an_episode_if_one_is_near(tmp_path: Path) -> None:
    agent, path = load_agent("cartpole", seed=SEED), tmp_path / "a.zip"
    with Autosave(agent, path, seconds=0.3, at_end=False):
        agent.learn(10**6, callback=lambda _: not path.exists())
    assert Agent.load(path).progress.actions == []


class Slow(gymnasium.Wrapper):
    """An episode that never ends, at 2 ms a step."""

    def step(self, action):
        time.sleep(0.002)
        observation, reward, _, _, info = self.env.step(action)
        return np.clip(observation, -1.0, 1.0), reward, False, False, info


def test_a_checkpoint_by_the_clock_comes_within_an_episode_that_does_not_end(tmp_path: Path) -> None:
    agent, path = load_agent("cartpole", Slow(gymnasium.make("CartPole-v1").unwrapped), seed=SEED), tmp_path / "a.zip"
    with Autosave(agent, path, seconds=0.1):
        agent.learn(10**6, callback=lambda _: not path.exists())
    assert agent.progress.actions


def test_a_disk_that_is_full_is_told_once_and_learning_goes_on(tmp_path: Path) -> None:
    agent, path, told = load_agent("cartpole", seed=SEED), tmp_path / "a.zip", []
    agent.learn(100)
    agent.save(path)
    before = path.read_bytes()
    with Autosave(agent, path, every=10, tell=told.append) as save:
        limit = resource.prlimit(0, resource.RLIMIT_FSIZE)
        agent.learn(10)  # the process that writes begins
        resource.prlimit(save._scribe._process.pid, resource.RLIMIT_FSIZE, (20_000, limit[1]))
        while save.failure is None:
            agent.learn(10)
        middle = path.read_bytes()
        agent.learn(500)
        assert len(told) == 1
        resource.prlimit(save._scribe._process.pid, resource.RLIMIT_FSIZE, limit)
        while save.failure is not None:
            agent.learn(10)
    assert "a.zip: cannot be written: File too large; what was written before stays, and learning goes on" in told[0]
    assert before != path.read_bytes() != middle
    checkpoint.read(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


def test_where_nobody_is_told_it_is_a_warning(tmp_path: Path) -> None:
    agent = load_agent("cartpole", seed=SEED)
    save = Autosave(agent, tmp_path / "gone" / "a.zip", every=10)
    save.__enter__()
    shutil.rmtree(tmp_path / "gone")
    (tmp_path / "gone").write_text("")
    agent.learn(10)
    with pytest.warns(UserWarning, match="cannot be written"):
        save.__exit__()


def test_a_process_that_writes_and_is_killed_is_replaced(tmp_path: Path) -> None:
    agent, told = load_agent("cartpole", seed=SEED), []
    with Autosave(agent, tmp_path / "a.zip", every=10, tell=told.append) as save:
        agent.learn(10)
        os.kill(save._scribe._process.pid, signal.SIGKILL)
        while save.written < 2:
            agent.learn(10)
    assert 10 < Agent.load(tmp_path / "a.zip").progress.steps <= agent.progress.steps
    assert all("the process that writes it ended" in text for text in told)


def test_an_environment_in_real_time_has_its_first_checkpoint_before_it_begins(tmp_path: Path) -> None:
    agent = load_agent("cartpole", Paced(gymnasium.make("CartPole-v1"), 0.001), seed=SEED)
    with Autosave(agent, tmp_path / "a.zip", at_end=False):
        agent.learn(20)
    assert Agent.load(tmp_path / "a.zip", gymnasium.make("CartPole-v1")).progress.steps == 0


@pytest.mark.parametrize("every", [None, 1000])
def test_what_came_after_the_latest_one_is_kept_when_the_block_ends(tmp_path: Path, every: int | None) -> None:
    agent = load_agent("random", "CartPole-v1", seed=SEED)
    with Autosave(agent, tmp_path / "a.zip", every):
        agent.learn(5_500)
    assert Agent.load(tmp_path / "a.zip").progress.steps == 5_500


def test_an_error_loses_nothing_but_learning_that_diverged_replaces_no_good_checkpoint(tmp_path: Path) -> None:
    agent, path = load_agent("random", "CartPole-v1", seed=SEED), tmp_path / "a.zip"

    def broken(_: object) -> bool:
        raise error

    kept = []
    for error in (RuntimeError(), DivergedError()):
        with pytest.raises(type(error)), Autosave(agent, path):
            agent.learn(10**6, callback=broken)
        kept.append((Agent.load(path).progress.steps, agent.progress.steps))
    (first, there), (second, later) = kept
    assert first == there == second < later


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("a.txt",), r"ends in \.zip"),
        (("a.zip", 0), "every: must be at least 1"),
        (("a.zip", None, -1.0), "seconds: must"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[object, ...], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        Autosave(load_agent("random", "CartPole-v1"), *arguments)


# Files that killed processes leave.


def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    others = [".b.zip.abcdefgh.unfinished", ".a.zip.bak", ".a.zip.b.abcdefgh.unfinished"]
    for name in (".a.zip.abcdefgh.unfinished", *others):
        (tmp_path / name).write_bytes(b"half")
    (tmp_path / ".a.zip.ijklmnop.unfinished").mkdir()
    with beside(path) as living:
        assert sweep(path) == 2
        assert {file.name for file in tmp_path.iterdir()} == {*others, Path(living.name).name}


def test_who_still_writes_is_waited_for(tmp_path: Path) -> None:
    path, ended = tmp_path / "a.zip", []

    def write() -> None:
        with replacing(path) as file:
            started.set()
            time.sleep(0.3)
            file.write(b"whole")
        ended.append(True)

    started = threading.Event()
    thread = threading.Thread(target=write)
    thread.start()
    started.wait()
    sweep(path, 10.0)
    assert path.read_bytes() == b"whole"
    thread.join()


def test_the_process_that_writes_does_not_go_before_all_others(tmp_path: Path) -> None:
    agent, before = load_agent("cartpole", seed=SEED), os.sched_getscheduler(0)
    with Autosave(agent, tmp_path / "a.zip", every=50) as save, undisturbed(fifo=True) as refused:
        if any("SCHED_FIFO" in line for line in refused):
            pytest.skip("may not ask for SCHED_FIFO here")
        agent.learn(50)
        assert os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == os.SCHED_FIFO
        assert os.sched_getscheduler(save._scribe._process.pid) == os.SCHED_OTHER
    assert os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK == before


def test_memory_that_is_short_is_taken_from_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fallocate, refused = os.posix_fallocate, []

    def full(fd: int, start: int, size: int) -> None:
        if not refused:
            refused.append(fd)
            raise OSError(28, "No space left on device")
        fallocate(fd, start, size)

    monkeypatch.setattr(os, "posix_fallocate", full)
    agent = load_agent("cartpole", seed=SEED)
    with Autosave(agent, tmp_path / "a.zip", every=50) as save:
        agent.learn(50)
    assert refused
    assert (save.written, save.failure) == (1, None)
    assert Agent.load(tmp_path / "a.zip").progress.steps == 50


def test_a_state_that_no_checkpoint_can_hold_is_told_and_learning_goes_on(tmp_path: Path) -> None:
    agent, told = load_agent("cartpole", seed=SEED), []
    agent.run_options = {"what": object()}
    with Autosave(agent, tmp_path / "a.zip", every=50, tell=told.append):
        agent.learn(200)
    assert agent.progress.steps == 200
    assert len(told) == 1
    assert "not JSON serializable" in told[0]


def test_agents_side_by_side_each_have_their_own(tmp_path: Path) -> None:
    vector = load_agents("cartpole", None, seeds=[1, 2])
    with Autosave(vector[0], tmp_path / "a.zip", every=400), Autosave(vector[1], tmp_path / "b.zip", every=400):
        vector.learn(400)
    for b, name in enumerate(("a.zip", "b.zip")):
        same(Agent.load(tmp_path / name), vector[b])


def test_in_a_vector_environment_too(tmp_path: Path) -> None:
    env = SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * 2, autoreset_mode=AutoresetMode.DISABLED)
    vector = load_agents("cartpole", env, seeds=[1, 2])
    alone = load_agent("cartpole", seed=2)
    with Autosave(vector[1], tmp_path / "b.zip", every=333, at_end=False):
        vector.learn(340)
    resumed = Agent.load(tmp_path / "b.zip", gymnasium.make("CartPole-v1"))
    assert resumed.progress.steps == 333
    resumed.learn(100)
    alone.learn(433)
    same(resumed, alone)


def test_the_next_run_clears_away_what_a_killed_one_left(tmp_path: Path) -> None:
    (tmp_path / ".a.zip.abcdefgh.unfinished").write_bytes(b"half")
    with Autosave(load_agent("random", "CartPole-v1"), tmp_path / "a.zip"):
        pass
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


# Killed at random, resumed again and again.

KILLED = textwrap.dedent("""
    import os, signal, sys, time
    from pathlib import Path
    import numpy as np
    from neuroloop import Autosave, load_agent
    from neuroloop.agent import Agent

    name, env, total, kills, folder = sys.argv[1], sys.argv[2] or None, int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])
    load_agent(name, env, seed=3).learn(50)  # what was compiled is loaded once

    def learn(path):
        agent = Agent.load(path) if path.exists() else load_agent(name, env, seed=3)
        with Autosave(agent, path, every=97):
            agent.learn(total - agent.progress.steps)
        agent.save(path)

    began = time.perf_counter()
    learn(folder / "straight.zip")
    wall, random, path, midway = time.perf_counter() - began, np.random.default_rng(8), folder / "killed.zip", 0
    for kill in range(kills + 1):
        child = os.fork()
        if child == 0:
            learn(path)
            os._exit(0)
        if kill < kills:
            time.sleep(random.uniform(0.02, 2.0 * wall / kills))
            os.kill(child, signal.SIGKILL)
        status = os.waitpid(child, 0)[1]
        midway += os.WIFSIGNALED(status)
        assert kill < kills or status == 0
        if path.exists():
            Agent.load(path)  # whole, always
    print(midway)
""")


@pytest.mark.parametrize(
    ("name", "env", "total", "kills"), [("cartpole", "", 20_000, 10), ("default", "Pendulum-v1", 4_000, 3)]
)
def test_a_run_killed_at_random_again_and_again_ends_as_the_straight_one(
    name: str, env: str, total: int, kills: int, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", KILLED, name, env, str(total), str(kills), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= kills // 2, "most kills should have met a run at work"
    straight, killed = (Agent.load(tmp_path / f"{which}.zip") for which in ("straight", "killed"))
    assert straight.progress.steps == killed.progress.steps >= total
    same(killed, straight)


def test_a_file_that_was_cut_off_is_refused_and_says_so(tmp_path: Path) -> None:
    agent, path = load_agent("cartpole", seed=SEED), tmp_path / "a.zip"
    with Autosave(agent, path, every=50):
        agent.learn(50)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="damaged"):
        Agent.load(path)


def test_a_checkpoint_of_before_this_was_kept_still_loads(tmp_path: Path) -> None:
    """What earlier versions wrote has neither the options of the run nor what was seen last."""
    agent = load_agent("cartpole", seed=SEED)
    agent.learn(333)
    whole, old = agent.save(tmp_path / "new.zip"), tmp_path / "old.zip"
    kept = checkpoint.read(whole)
    facts = {name: value for name, value in kept.facts.items() if name not in ("run", "episodes")}
    arrays = {name: array for name, array in kept.arrays.items() if not name.startswith("seen/")}
    checkpoint.write(old, kept._replace(facts=facts, arrays=arrays))
    with zipfile.ZipFile(old) as archive:
        assert not [name for name in archive.namelist() if "seen" in name]
    resumed = Agent.load(old)
    agent.learn(500)
    resumed.learn(500)
    same(resumed, agent)


def test_there_is_a_checkpoint_from_the_beginning(tmp_path: Path) -> None:
    agent, path = load_agent("cartpole", seed=SEED), tmp_path / "a.zip"
    with Autosave(agent, path):
        assert Agent.load(path).progress.steps == 0
    agent.learn(200)
    resumed = Agent.load(path)
    resumed.learn(200)
    same(resumed, agent)
