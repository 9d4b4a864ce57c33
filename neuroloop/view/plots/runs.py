"""What runs left on the disk: a checkpoint, a recording, a closing report, in one folder or as single files."""

from __future__ import annotations

import contextlib
import importlib
import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ... import checkpoint
from ...errors import BadInput, CheckpointError
from ...loop.lockstep import Progress

if TYPE_CHECKING:
    from .learning import Runs

CHECKPOINT, RECORDING, REPORT = ".zip", ".mcap", "report.json"
USUAL = f"checkpoint{CHECKPOINT}"  # in the folder of a run
MOST_REPORT = 1 << 24  # bytes


class Run(NamedTuple):
    """The files of one run, those that there are."""

    path: Path  # what was named: a file, or the folder
    checkpoint: Path | None = None
    recording: Path | None = None
    report: Path | None = None
    among: Path | None = None  # the folder that was named, if it holds several runs


class Episodes(NamedTuple):
    """Episodes that ended."""

    returns: Sequence[float]
    lengths: Sequence[int]  # environment steps
    name: str = "run"  # of the agent
    criterion: float | None = None
    solved_at: int | None = None


def runs_of(path: str | Path) -> list[Run]:
    """The run of a file or a folder, or those of the folders within it. Raises `BadInput`."""
    path = Path(path)
    if path.is_dir():
        if own := _in_folder(path):
            return [own]
        folders = (folder for folder in sorted(path.iterdir()) if folder.is_dir())
        found = [run._replace(among=path) for folder in folders if (run := _in_folder(folder))]
        if not found:
            raise BadInput(f"{path}: holds no run: no checkpoint (.zip) and no recording (.mcap), nor do folders in it")
        return found
    if not path.exists():
        raise BadInput(f"{path}: no such file")
    if path.suffix.lower() == RECORDING:
        return [Run(path, recording=path)]
    if path.suffix.lower() == CHECKPOINT:
        report = _report_beside(path)
        return [Run(path, path, _told_in(report), report)]
    raise BadInput(f"{path}: expected a recording (.mcap), a checkpoint (.zip), or the folder of a run")


def _in_folder(folder: Path) -> Run | None:
    files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
    checkpoints = [file for file in files if file.suffix.lower() == CHECKPOINT]
    recordings = [file for file in files if file.suffix.lower() == RECORDING]
    if not checkpoints and not recordings:
        return None
    chosen = folder / USUAL if folder / USUAL in checkpoints else next(iter(checkpoints), None)
    report = _report_beside(chosen or folder / USUAL)
    return Run(folder, chosen, next(iter(recordings), None) or _told_in(report), report)


def report_place(saved: Path) -> Path:
    """Where the closing report of a run lies whose checkpoint is `saved`."""
    return saved.with_name(REPORT) if saved.name == USUAL else saved.with_suffix(".json")


def _report_beside(saved: Path) -> Path | None:
    report = report_place(saved)
    return report if report.is_file() else None


def _told_in(report: Path | None) -> Path | None:
    """The recording that a closing report names, if it still is there."""
    with contextlib.suppress(BadInput, KeyError, TypeError):
        file = Path(_read(report)["recording"]["file"]) if report is not None else None
        return file if file is not None and file.is_file() else None
    return None


def report_of(run: Run) -> dict[str, Any]:
    """The closing report; empty where there is none. Raises `BadInput`."""
    return {} if run.report is None else _read(run.report)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            report = json.loads(file.read(MOST_REPORT))
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path}: is no report of a run: {error}") from None
    if not isinstance(report, dict):
        raise BadInput(f"{path}: is no report of a run: expected an object, got {type(report).__name__}")
    return report


def episodes_of(runs: Runs) -> list[Episodes]:
    """Episodes of all runs. Where several folders of runs are named, each is known by its folder. Raises `BadInput`."""
    given = list(_single(runs))
    folders = {one.among for one in given if isinstance(one, Run) and one.among is not None}
    found = []
    for one in given:
        if isinstance(one, Run):
            episodes = _of_run(one)
            if one.among is not None and len(folders) > 1:
                episodes = episodes._replace(name=one.among.resolve().name)
            found.append(episodes)
        elif isinstance(one, Progress):
            found.append(Episodes(one.returns, one.lengths, "run", one.criterion, one.solved_at_step))
        else:
            found.append(one)
    return found


def _single(runs: Any) -> Iterator[Run | Progress | Episodes]:
    """One by one."""
    if isinstance(runs, Run | Progress | Episodes):
        yield runs
    elif isinstance(runs, str | Path):
        yield from runs_of(runs)
    elif isinstance(runs, list | tuple):
        for one in runs:
            yield from _single(one)
    else:
        raise BadInput(f"runs: expected checkpoints, folders, agent.progress or Episodes, got {runs!r}")


def _of_run(run: Run) -> Episodes:
    if run.checkpoint is not None:
        return _of_checkpoint(run.checkpoint)
    from .reading import read

    return read(run.recording, part="outcome").episodes()


def _of_checkpoint(path: Path) -> Episodes:
    saved = checkpoint.read(path)
    try:
        returns, lengths = saved.arrays["returns"], saved.arrays["lengths"]
        name = checkpoint.require(saved.facts, "agent", str)
    except KeyError as error:
        raise CheckpointError(f"{path}: array {error} is missing") from None
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from None
    if returns.ndim != 1 or returns.shape != lengths.shape:
        raise CheckpointError(f"{path}: array 'returns' must have one number for each of 'lengths'")
    solved = saved.facts.get("solved_at_step")
    return Episodes(
        returns.tolist(), lengths.tolist(), name, _criterion(saved), solved if isinstance(solved, int) else None
    )


def _criterion(saved: checkpoint.Checkpoint) -> float | None:
    """What the run was to reach, as far as it is known without making the environment."""
    import gymnasium

    asked = tomllib.loads(saved.toml).get("plant", {}).get("criterion")
    if isinstance(asked, int | float):
        return float(asked)
    with contextlib.suppress(ModuleNotFoundError):
        importlib.import_module("neuroloop_envs")
    try:
        spec = gymnasium.spec(str(saved.facts.get("env")).rpartition(":")[2])
    except gymnasium.error.Error:
        return None
    return spec.reward_threshold
