"""What is wrong with a checkpoint is said, and nothing else happens."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import pickle
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest

import neuroloop
from neuroloop import checkpoint
from neuroloop.agent import Agent
from neuroloop.errors import CheckpointError

SEED = 11
Members = dict[str, bytes]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint from the middle of an episode."""
    agent = neuroloop.load_agent("cartpole", seed=SEED)
    agent.learn(333)
    assert agent.progress.actions
    return agent.save(tmp_path_factory.mktemp("good") / "good.zip")


@pytest.fixture(scope="module")
def members(good: Path) -> Members:
    with zipfile.ZipFile(good) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, members: Members) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def npy(array: Any, *, allow_pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=allow_pickle)
    return buffer.getvalue()


def raw_npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


def array(members: Members, name: str) -> Any:
    return np.load(io.BytesIO(members[f"arrays/{name}.npy"]))


def with_facts(**facts: Any) -> Callable[[Members], Members]:
    return lambda m: m | {"facts.json": json.dumps(json.loads(m["facts.json"]) | facts).encode()}


def with_array(name: str, change: Callable[[Any], Any]) -> Callable[[Members], Members]:
    return lambda m: m | {f"arrays/{name}.npy": npy(change(array(m, name)))}


def with_member(name: str, content: bytes) -> Callable[[Members], Members]:
    return lambda m: m | {name: content}


def without(name: str) -> Callable[[Members], Members]:
    return lambda m: {key: content for key, content in m.items() if key != name}


def poke(at: int, value: Any) -> Callable[[Any], Any]:
    def change(a: Any) -> Any:
        a = a.copy()
        a.flat[at] = value
        return a

    return change


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (%s,), }\n"
DAMAGES: dict[str, tuple[Callable[[Members], Members], str]] = {
    "no configuration": (without("agent.toml"), r"agent\.toml is missing"),
    "no facts": (without("facts.json"), r"facts\.json is missing"),
    "no pool": (without("arrays/controller/f4.npy"), "array 'f4' is missing"),
    "no returns": (without("arrays/returns.npy"), "'returns' is missing"),
    "another zip": (lambda m: {"word/document.xml": b"<w/>"}, "not a neuroloop checkpoint"),
    "an empty zip": (lambda m: {}, "not a neuroloop checkpoint"),
    "a format of the future": (with_facts(format=2), "format that this version does not read"),
    "facts that are a list": (with_member("facts.json", b"[1]"), "format"),
    "facts that are no JSON": (with_member("facts.json", b"{"), "damaged"),
    "facts nested deeply": (with_member("facts.json", b"[" * 100_000), "damaged"),
    "facts as large as a house": (with_member("facts.json", b" " * (2 << 20)), "would unpack to"),
    "steps as text": (with_facts(steps="many"), "steps: is missing or of the wrong type"),
    "negative steps": (with_facts(steps=-1), "steps: must be from 0"),
    "ticks beyond counting": (with_facts(ticks=10**40), "ticks: must be from 0"),
    "a boolean count": (with_facts(episode_steps=True), "episode_steps: is missing or of the wrong type"),
    "NaN in facts": (with_facts(reward=float("nan")), "reward: must be finite"),
    "infinity in facts": (with_facts(episode_return=float("inf")), "episode_return: must be finite"),
    "a solution as text": (with_facts(solved_at_step="soon"), "solved_at_step"),
    "a negative seed": (with_facts(seed=-1), "seed: must be from 0"),
    "no name": (with_facts(agent=None), "agent: is missing"),
    "another environment": (with_facts(env="MountainCar-v0"), "was trained on MountainCar-v0, not on CartPole-v1"),
    "a configuration that is none": (with_member("agent.toml", b"x = "), r"agent\.toml"),
    "a configuration of bytes": (with_member("agent.toml", b"\xff"), "damaged"),
    "a configuration nested deeply": (with_member("agent.toml", b"x = " + b"[" * 50_000), r"agent\.toml"),
    "a setting out of range": (
        lambda m: m | {"agent.toml": m["agent.toml"].replace(b"gamma = 0.99", b"gamma = 99.0")}, r"learner\.gamma",
    ),
    "a larger network": (
        lambda m: m | {"agent.toml": m["agent.toml"].replace(b"modules = 64", b"modules = 65")}, "should be",
    ),
    "another environment's configuration": (
        lambda m: m | {"agent.toml": m["agent.toml"].replace(b"CartPole-v1", b"MountainCar-v0")}, "dimensions",
    ),
    "a short pool": (with_array("controller/f4", lambda a: a[:-1]), "'f4' should be"),
    "a pool of another shape": (with_array("controller/f4", lambda a: a[None]), "'f4' should be"),
    "a pool of another type": (with_array("controller/f4", lambda a: a.astype(np.float64)), "'f4' should be"),
    "a pool of another byte order": (with_array("controller/f4", lambda a: a.astype(">f4")), "'f4' should be"),
    "returns of another type": (with_array("returns", lambda a: a.astype(np.float32)), "'returns'"),
    "returns with NaN": (with_array("returns", poke(0, np.nan)), "'returns' must be finite"),
    "fewer lengths than returns": (with_array("lengths", lambda a: a[:-1]), "one number for each of 'lengths'"),
    "actions that do not exist": (with_array("actions", lambda a: a + 7), "'actions' does not fit"),
    "actions that are no numbers": (with_array("actions", lambda a: a * np.nan), "'actions' does not fit"),
    "actions of another shape": (with_array("actions", lambda a: a[:, None, None]), "'actions' does not fit"),
    "text for actions": (with_member("arrays/actions.npy", npy(["left"])), "not accepted"),
    "structs for actions": (with_member("arrays/actions.npy", npy(np.zeros(2, "i4,f4"))), "not accepted"),
    "an array that is none": (with_member("arrays/returns.npy", b"returns"), "damaged"),
    "an array of a later version": (with_member("arrays/returns.npy", b"\x93NUMPY\x03\x00"), "version"),
    "an array that promises too much": (with_member("arrays/returns.npy", raw_npy(HUGE % "10**9")), "damaged"),
    "an array of 8 exabytes": (with_member("arrays/returns.npy", raw_npy(HUGE % 10**18)), "does not fit into"),
    "an array beyond all numbers": (with_member("arrays/returns.npy", raw_npy(HUGE % ("1" + "0" * 400))), "does not fit"),
    "an array of negative size": (with_member("arrays/returns.npy", raw_npy(HUGE % -1, b"12345678")), "does not fit"),
    "an array with a bomb for a header": (with_member("arrays/returns.npy", raw_npy("(" * 9_000)), "damaged"),
    "an array with an endless header": (with_member("arrays/returns.npy", raw_npy(HUGE % 1 + " " * 20_000)), "damaged"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "says"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_checkpoint_is_refused_with_what_is_wrong(
    change: Callable[[Members], Members], says: str, members: Members, tmp_path: Path
) -> None:
    path = pack(tmp_path / "bad.zip", change(members))
    with pytest.raises(CheckpointError, match=says) as caught:
        Agent.load(path)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("content", [b"", b"dear diary", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), bytes(500)])
def test_a_file_that_is_no_zip_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "notes.zip"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"notes\.zip: not a neuroloop checkpoint"):
        Agent.load(path)


def test_no_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such file"):
        Agent.load(tmp_path / "none.zip")
    with pytest.raises(CheckpointError, match="cannot be read: Is a directory"):
        Agent.load(tmp_path)


def test_a_file_cut_off_anywhere_is_refused(good: Path, tmp_path: Path) -> None:
    whole, path = good.read_bytes(), tmp_path / "cut.zip"
    for size in np.linspace(0, len(whole) - 1, 60, dtype=int):
        path.write_bytes(whole[:size])
        with pytest.raises(CheckpointError):
            checkpoint.read(path)


def test_a_flipped_byte_is_refused_or_changes_nothing_that_counts(good: Path, tmp_path: Path) -> None:
    whole, path, original = good.read_bytes(), tmp_path / "flipped.zip", checkpoint.read(good)
    random, refused = np.random.default_rng(1), 0
    for at in [*random.integers(0, len(whole), 150), *range(len(whole) - 150, len(whole))]:
        damaged = bytearray(whole)
        damaged[at] ^= int(random.integers(1, 256))
        path.write_bytes(damaged)
        try:
            survived = checkpoint.read(path)
        except CheckpointError:
            refused += 1
            continue
        for name, kept in survived.arrays.items():  # a zip's dates and attributes are covered by no checksum
            if name in original.arrays:
                np.testing.assert_array_equal(kept, original.arrays[name])
    assert refused > 150


class Payload:
    """Unpickled, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_nothing_in_a_checkpoint_is_ever_unpickled(members: Members, tmp_path: Path) -> None:
    trace = tmp_path / "executed"
    objects = np.empty(1, object)
    objects[0] = Payload(trace)
    bombs = {
        "array": pack(tmp_path / "a.zip", members | {"arrays/returns.npy": npy(objects, allow_pickle=True)}),
        "bare": pack(tmp_path / "b.zip", members | {"arrays/returns.npy": pickle.dumps(Payload(trace))}),
        "all": tmp_path / "c.zip",
    }
    bombs["all"].write_bytes(pickle.dumps(Payload(trace)))
    for path in bombs.values():
        with pytest.raises(CheckpointError):
            Agent.load(path)
    assert not trace.exists()


def test_members_that_nobody_asked_for_do_nothing(members: Members, tmp_path: Path) -> None:
    extra = {"../outside.npy": npy([1]), "arrays/../../outside.npy": npy([1]), "run.py": b"raise SystemExit"}
    folder = tmp_path / "folder"
    folder.mkdir()
    Agent.load(pack(folder / "a.zip", members | extra))
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "a.zip"]


def test_a_checkpoint_of_an_environment_handed_over_asks_for_it_again(tmp_path: Path) -> None:
    agent = neuroloop.load_agent("random", gymnasium.make("CartPole-v1"), seed=1)
    agent.learn(50)
    path = agent.save(tmp_path / "a.zip")
    with pytest.raises(CheckpointError, match="handed over, CartPole-v1; hand it over again"):
        Agent.load(path)
    assert Agent.load(path, gymnasium.make("CartPole-v1")).progress.steps == 50


def test_scrambled_numbers_inside_a_checkpoint_never_crash_the_process(good: Path, tmp_path: Path) -> None:
    code = textwrap.dedent("""
        import sys
        from pathlib import Path
        import numpy as np
        from neuroloop import checkpoint
        from neuroloop.agent import Agent
        from neuroloop.errors import NeuroloopError
        whole, path = checkpoint.read(Path(sys.argv[1])), Path(sys.argv[2])
        random, loaded = np.random.default_rng(5), 0
        odd = [-1, -2**31, 2**31 - 1, 64, 10**6, 1]
        for trial in range(40):
            arrays = {name: a.copy() for name, a in whole.arrays.items()}
            names = sorted(name for name in arrays if name.startswith("controller/"))
            name = names[trial % len(names)]
            flat = arrays[name].reshape(-1)
            for at in random.integers(0, flat.size, 20):
                flat[at] = random.choice(odd) if flat.dtype.kind == "i" else random.choice([np.nan, np.inf, -1e30, 1e9])
            checkpoint.write(path, whole._replace(arrays=arrays))
            try:
                agent = Agent.load(path)
                loaded += 1
                agent.learn(150)
            except NeuroloopError:
                pass
        print("alive", loaded)
    """)
    done = subprocess.run(
        [sys.executable, "-c", code, str(good), str(tmp_path / "s.zip")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    assert done.stdout.startswith("alive")


def test_a_checkpoint_is_toml_json_and_plain_arrays(good: Path) -> None:
    with zipfile.ZipFile(good) as archive:
        kinds = {Path(name).suffix for name in archive.namelist()}
        assert kinds == {".toml", ".json", ".npy"}
        for name in archive.namelist():
            if name.endswith(".npy"):
                assert not np.load(io.BytesIO(archive.read(name)), allow_pickle=False).dtype.hasobject
        facts = json.loads(archive.read("facts.json"))
    assert (facts["agent"], facts["env"], facts["seed"], facts["steps"]) == ("cartpole", "CartPole-v1", SEED, 333)


def test_tables_that_kernels_index_with_cannot_be_tampered_with() -> None:
    agent = neuroloop.load_agent("cartpole", seed=1)
    agent.learn(300)
    state, fixed = agent.controller.state(), agent.controller.state()["i4"]
    rng = np.random.default_rng(0)
    for _ in range(400):
        i4 = fixed.copy()
        i4[rng.integers(i4.size)] = rng.choice([-(2**31), -2, 10**6, 2**31 - 1])
        fresh = neuroloop.load_agent("cartpole", seed=1)
        with contextlib.suppress(CheckpointError):  # what is let through must not harm
            fresh.controller.restore({**state, "i4": i4})
            fresh.learn(30)


@pytest.mark.parametrize("copied", [copy.deepcopy, pickle.dumps], ids=["deepcopy", "pickle"])
def test_a_network_refuses_to_be_copied_behind_its_back(copied: Any) -> None:
    with pytest.raises(TypeError, match="save the agent and load it again"):
        copied(neuroloop.load_agent("cartpole").controller.network)
