"""Where a run writes: a name that no other run has, and what becomes of a file that is there already."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .request import Request, is_same

if TYPE_CHECKING:
    from ..agent import Agent

RUNS = Path("recordings/runs")
BEFORE = ".before"  # ending of what a run replaced


class Places(NamedTuple):
    """Of a run's files."""

    name: str  # of the run, among all that write into the same folders
    checkpoint: Path


@contextlib.contextmanager
def claimed(request: Request, learner: Agent) -> Iterator[Places]:
    """Folders that no other run has; those that stay empty are removed in the end. Raises `CheckpointError`."""
    name = f"{learner.name}-seed{learner.seed}-{datetime.now():%Y%m%d-%H%M%S}"
    roots = [RUNS] if request.save is None else []
    roots += [request.tensorboard] if request.tensorboard is not None else []
    for again in count(1):
        unique = name if again == 1 else f"{name}-{again}"
        if _made([root / unique for root in roots]):
            break
    try:
        yield Places(unique, request.save or RUNS / unique / "checkpoint.zip")
    finally:
        for root in roots:
            with contextlib.suppress(OSError):  # holds something, or is gone
                (root / unique).rmdir()


def _made(folders: Sequence[Path]) -> bool:
    """Make all of them, or none where one is there already. Raises `CheckpointError`."""
    from ..errors import CheckpointError

    for n, folder in enumerate(folders):
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
        except OSError as error:
            for made in folders[:n]:
                made.rmdir()
            if folder.is_dir():
                return False
            raise CheckpointError(f"{folder}: cannot be written: {error.strerror}") from None
    return True


def check_record(request: Request) -> None:
    """Raise `BadInput` where a recording has no name."""
    from ..errors import BadInput

    file = request.record
    if file is not None and (not file.name or file.is_dir()):
        raise BadInput(f"--record: must name a file such as run.mcap, got {'nothing' if not file.name else file}")


def keep_before(request: Request, checkpoint: Path) -> None:
    """Another run's checkpoint and report that are about to be replaced get another name, and one line says so.

    Raises `BadInput`.
    """
    from ..errors import CheckpointError
    from ..view.plots.runs import report_place

    if not checkpoint.exists() or is_same(request.resume, checkpoint):
        return
    held, kept = _held(checkpoint), _before(checkpoint)
    if is_same(request.resume, kept):
        raise CheckpointError(f"--save: {checkpoint} would be kept as {kept}, which --resume names; name another file")
    try:
        checkpoint.replace(kept)
        with contextlib.suppress(FileNotFoundError):
            report_place(checkpoint).replace(_before(report_place(checkpoint)))
    except OSError as error:
        raise CheckpointError(f"{kept}: cannot be written: {error.strerror}") from None
    print(f"neuroloop: {checkpoint}: overwritten; it held {held}, kept as {kept}", file=sys.stderr)


def _before(path: Path) -> Path:
    return path.with_name(f"{path.name}{BEFORE}")


def _held(checkpoint: Path) -> str:
    """What is in a file, in few words."""
    from ..checkpoint import read_facts
    from ..errors import CheckpointError

    try:
        _, facts = read_facts(checkpoint)
    except CheckpointError:
        return "no checkpoint that can be read"
    return f"{facts.get('agent')} at step {facts.get('steps')}"


def step_of(checkpoint: Path) -> int | None:
    """Of which step a checkpoint is; None where there is none."""
    from ..checkpoint import read_facts, require_count
    from ..errors import CheckpointError

    try:
        return require_count(read_facts(checkpoint)[1], "steps")
    except CheckpointError:
        return None
