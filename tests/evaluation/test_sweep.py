"""A search for settings: what it proposes, what it keeps, and that an interruption changes nothing."""

from __future__ import annotations

import resource
import statistics
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from neuroloop.errors import BadInput, NeuroloopError
from neuroloop.evaluation import sweep_settings
from neuroloop.evaluation.crew import DIED
from neuroloop.evaluation.learning_run import learn
from neuroloop.evaluation.sweep import Search
from neuroloop.evaluation.sweep_report import report_of, text_of, tried, write_best
from neuroloop.evaluation.sweep_storage import open_storage, open_study
from neuroloop.evaluation.sweep_trial import rounds_of

STUDY = """
agent = "random"
trials = {trials}
seeds = {seeds}
sampler = "{sampler}"
pruner = "{pruner}"

[objective]
kind = "{kind}"

[env.CartPole-v1]
steps = {steps}

[search]
"plant.action_repeat" = {{ low = 1, high = 40 }}
"plant.arguments" = {{ choices = [{{}}, {{ sutton_barto_reward = true }}] }}
"plant.max_steps" = {{ low = 10, high = 100_000, log = true }}
"""
USUAL = {"trials": 6, "seeds": 2, "sampler": "tpe", "pruner": "none", "kind": "final", "steps": 300}


class Here(Executor):
    """Runs what is submitted at once; after `limit` jobs it breaks as `broken` does."""

    def __init__(self, limit: int = 10**9, broken: type[BaseException] = KeyboardInterrupt) -> None:
        self.n, self.limit, self.broken = 0, limit, broken

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if self.n >= self.limit:
            if self.broken is KeyboardInterrupt:
                raise KeyboardInterrupt
            future.set_exception(self.broken())
            return future
        self.n += 1
        future.set_result(function(*args, **kwargs))
        return future


class Swept(NamedTuple):
    trials: list[Any]
    lines: list[str]
    report: dict[str, Any]
    runs: int


@pytest.fixture
def swept(tmp_path: Path) -> Callable[..., Swept]:
    """Runs a sweep in `tmp_path`; a second call goes on with the same storage."""

    def run(executor: Here | None = None, at_once: int = 1, stop_after: int = 10**9, **changes: Any) -> Swept:
        path, executor, lines = tmp_path / "study.toml", executor or Here(), []
        path.write_text(STUDY.format(**USUAL | changes))
        study = sweep_settings.read(path)
        with open_storage(tmp_path / "study.trials") as journal:
            saved = open_study(journal, study, tmp_path / "study.trials")
            search = Search(study, saved, lines.append, lambda: executor.n < stop_after)
            search.run(lambda jobs: nullcontext(executor), at_once)
            trials = saved.get_trials()
            return Swept(trials, lines, report_of(saved, study, interrupted=False), executor.n)

    return run


def proposals(done: Swept) -> list[Any]:
    return [(trial.number, trial.params, trial.value, trial.state.name) for trial in done.trials]


def test_the_best_trial_is_found_among_all_and_the_first_is_the_agent_as_it_is(
    swept: Callable[..., Swept], tmp_path: Path
) -> None:
    done = swept(trials=12)
    values = [trial.value for trial in done.trials]
    assert len(values) == 12
    assert done.report["best"][0]["value"] == max(values)
    assert [best["value"] for best in done.report["best"]] == sorted(values, reverse=True)[:5]
    assert done.report["complete"] == 12
    assert done.report["tuning_seeds"] == [0, 1]
    assert sum(done.report["importances"].values()) == pytest.approx(1.0)


def test_a_trial_is_worth_what_its_runs_give_by_themselves(swept: Callable[..., Swept], tmp_path: Path) -> None:
    done = swept(kind="area")
    study = sweep_settings.read(tmp_path / "study.toml")
    for best in done.report["best"]:
        runs = [run for runs in rounds_of(study, done.trials[best["trial"]].params) for run in runs]
        assert [run.seed for run in runs] == [0, 1]
        assert best["value"] == statistics.mean(learn(run)["area"] for run in runs)


@pytest.mark.parametrize("sampler", ["tpe", "random", "quasi-random"])
def test_the_same_seed_proposes_the_same_and_another_seed_does_not(
    swept: Callable[..., Swept], tmp_path: Path, sampler: str
) -> None:
    first = proposals(swept(sampler=sampler, trials=14, seeds=1))
    (tmp_path / "study.trials").unlink()
    assert proposals(swept(sampler=sampler, trials=14, seeds=1)) == first
    (tmp_path / "study.trials").unlink()
    other = proposals(swept(sampler=f'{sampler}"\nseed = 1 #', trials=14, seeds=1))
    assert all(a[1] != b[1] for a, b in zip(first[1:], other[1:], strict=True))


@pytest.mark.parametrize("limit", [1, 2, 7, 20, 23])
def test_an_interruption_between_runs_changes_nothing_and_repeats_none(
    swept: Callable[..., Swept], tmp_path: Path, limit: int
) -> None:
    with pytest.raises(KeyboardInterrupt):
        swept(Here(limit), trials=12)
    resumed = swept(trials=12)
    (tmp_path / "study.trials").unlink()
    straight = swept(trials=12)
    assert proposals(resumed) == proposals(straight)
    assert limit + resumed.runs == straight.runs == 24


def test_a_kill_after_any_byte_that_was_written_changes_nothing(swept: Callable[..., Swept], tmp_path: Path) -> None:
    straight, place = swept(trials=12, seeds=1), tmp_path / "study.trials"
    whole = place.read_bytes()
    for cut in np.random.default_rng(0).integers(0, len(whole), 10):
        place.write_bytes(whole[:cut])
        assert proposals(swept(trials=12, seeds=1)) == proposals(straight)


def test_several_trials_that_were_open_are_taken_up(swept: Callable[..., Swept]) -> None:
    with pytest.raises(KeyboardInterrupt):
        swept(Here(3), at_once=8, seeds=1, sampler="random")
    done = swept(at_once=8, seeds=1, sampler="random")
    assert done.lines[0] == "taking up 4 trials where they stopped"
    assert [trial.state.name for trial in done.trials] == ["COMPLETE"] * 6
    assert len({str(trial.params) for trial in done.trials}) == 6


def test_being_told_to_stop_leaves_the_rest_for_later(swept: Callable[..., Swept]) -> None:
    assert swept(stop_after=5).report["complete"] < 6
    assert swept().report["complete"] == 6


def test_more_trials_may_follow_but_other_settings_do_not_compare(swept: Callable[..., Swept], tmp_path: Path) -> None:
    swept(trials=2)
    assert swept(trials=3).runs == 2
    with pytest.raises(BadInput, match=r"holds trials made with other settings \(env.CartPole-v1, seeds\)"):
        swept(trials=3, seeds=1, steps=200)


def test_as_many_runs_are_open_as_asked_for_and_no_more_trials_than_needed(swept: Callable[..., Swept]) -> None:
    class Slow(Here):
        """Ends what it runs only when three wait."""

        def __init__(self) -> None:
            super().__init__()
            self.most = 0
            self.waiting: list[tuple[Future[Any], Any]] = []

        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            self.waiting.append((future, args[0]))
            self.most = max(self.most, len(self.waiting))
            if len(self.waiting) == 3 or self.n + len(self.waiting) == 12:
                for one, run in self.waiting:
                    self.n += 1
                    one.set_result(function(run))
                self.waiting.clear()
            return future

    slow = Slow()
    assert swept(slow, at_once=3).report["complete"] == 6
    assert slow.most == 3


def test_a_run_that_fails_makes_its_trial_a_failed_one_with_its_error(swept: Callable[..., Swept]) -> None:
    done = swept(steps=3)  # too few for any episode to end
    assert {trial.state.name for trial in done.trials} == {"COMPLETE", "FAIL"} or done.report["failed"] == 6
    failed = [trial for trial in done.trials if trial.state.name == "FAIL"]
    assert failed[0].user_attrs["error"] == "CartPole-v1 seed 0: no episode ended within 3 steps"
    assert done.report["failures"]["0"] == failed[0].user_attrs["error"]
    assert "failed      trial 0: CartPole-v1 seed 0: no episode ended within 3 steps" in text_of(done.report)
    assert swept(steps=3).runs == 0


def test_the_pruner_ends_trials_that_are_worse_than_the_median_seed_by_seed(swept: Callable[..., Swept]) -> None:
    done = swept(pruner="median", trials=16, seeds=3, sampler="random")
    pruned = [trial for trial in done.trials if trial.state.name == "PRUNED"]
    assert pruned
    assert len(pruned) == done.report["pruned"]
    assert done.report["pruned"] + done.report["complete"] == 16
    assert done.runs < 16 * 3
    for trial in pruned:
        seen, value = max(trial.intermediate_values.items())
        others = [t.intermediate_values[seen] for t in done.trials[: trial.number] if seen in t.intermediate_values]
        assert value < statistics.median(others)


def test_steps_to_criterion_count_an_unsolved_run_as_the_budget_and_its_penalty(swept: Callable[..., Swept]) -> None:
    done = swept(kind="steps", trials=2)
    assert [trial.value for trial in done.trials] == [2.0, 2.0]
    assert done.report["direction"] == "minimize"
    assert done.report["best"][0]["solved"] == 0


def test_a_cluster_that_is_gone_ends_the_sweep_and_the_same_command_goes_on(swept: Callable[..., Swept]) -> None:
    with pytest.raises(NeuroloopError, match="scheduler is gone; the same command goes on"):
        swept(Here(3, CancelledError))
    assert swept().report["complete"] == 6


def test_a_process_that_dies_twice_fails_the_trials_of_its_runs(swept: Callable[..., Swept]) -> None:
    done = swept(Here(2, BrokenProcessPool), trials=3)
    assert (done.report["complete"], done.report["failed"]) == (1, 2)
    assert done.report["failures"]["1"] == f"CartPole-v1 seed 0: {DIED}"
    assert "trial 1: CartPole-v1 seed 0: a process died while it ran; it runs again, alone" in done.lines


def test_a_job_that_took_its_workers_down_is_a_failed_trial(swept: Callable[..., Swept]) -> None:
    done = swept(Here(0, MemoryError), trials=2)
    assert done.report["failures"]["1"] == "CartPole-v1 seed 0: MemoryError: "


def test_half_a_last_line_and_a_lock_without_owner_are_put_right(swept: Callable[..., Swept], tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        swept(Here(5))
    place = tmp_path / "study.trials"
    whole = place.read_bytes()
    place.write_bytes(whole + b'{"op_code":6,"wor')
    (tmp_path / "study.trials.lock").symlink_to(place)
    assert swept().report["complete"] == 6
    assert place.read_bytes().startswith(whole)


def test_a_disk_that_fills_up_is_named_and_loses_nothing(swept: Callable[..., Swept], tmp_path: Path) -> None:
    swept(trials=2)
    place, before = tmp_path / "study.trials", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (place.stat().st_size + 700, before[1]))
    try:
        with pytest.raises(BadInput, match=r"study\.trials: cannot be written: File too large"):
            swept()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert swept().report["complete"] == 6


def test_one_sweep_at_a_time_writes_to_a_file(swept: Callable[..., Swept], tmp_path: Path) -> None:
    with (
        open_storage(tmp_path / "study.trials"),
        pytest.raises(BadInput, match="another sweep is writing to this file"),
    ):
        swept()


@pytest.mark.parametrize(
    "content", [b"hello\n", b"\x89PNG\r\n", b'{"op_code": "x"}\n', b'{"op_code":99}\n', b"{}\n{}\n"]
)
def test_a_file_of_something_else_is_refused_and_left_alone(
    swept: Callable[..., Swept], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "study.trials").write_bytes(content)
    with pytest.raises(BadInput, match=r"study\.trials: is (not the storage file of a sweep|damaged)"):
        swept()
    assert (tmp_path / "study.trials").read_bytes() == content


def test_the_best_settings_are_written_as_an_agent(swept: Callable[..., Swept], tmp_path: Path) -> None:
    done = swept()
    study = sweep_settings.read(tmp_path / "study.toml")
    with open_storage(tmp_path / "study.trials") as journal:
        saved = open_study(journal, study, tmp_path / "study.trials")
        assert write_best(saved, study, tmp_path / "best.toml") == tmp_path / "best.toml"
        assert len(tried(saved)) == 6
    from neuroloop.agent import read_config

    assert read_config(tmp_path / "best.toml")[1] == study.agent_of(done.report["best"][0]["settings"])
