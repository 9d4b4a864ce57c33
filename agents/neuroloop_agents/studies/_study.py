"""The manner of every study: measure each subject on each seed, and write a page that says how it was made.

    python -m neuroloop_agents.studies.NAME [--first-seed N] [--seeds N] [--jobs N] [--quick] [--write FILE]

Sizes of a study, such as `--steps` of learning, have options of their own.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import as_completed
from datetime import date
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from neuroloop.evaluation.figures import head
from neuroloop.evaluation.table import which_seeds
from neuroloop.evaluation.workers import workers

FIRST_SEED, SEEDS = 10_500, 5  # of the tables in recordings/benchmarks
Size = TypeVar("Size", bound=NamedTuple)
Result = TypeVar("Result")


class Study(NamedTuple, Generic[Size, Result]):
    """What is measured; a seed's result depends on nothing but `measure`'s arguments."""

    name: str  # the module's, with hyphens
    about: str
    subjects: Sequence[Hashable]  # who is measured; those that take longest come last
    measure: Callable[[Any, int, Size], Result]  # subject, seed, size
    report: Callable[[dict[Any, list[Result]], range, Size], list[str]]  # results by subject, seeds, size: to lines
    full: Size  # whole numbers
    quick: Size

    @property
    def command(self) -> str:
        """How it is run."""
        return f"python -m neuroloop_agents.studies.{self.name.replace('-', '_')}"


class Asked(NamedTuple, Generic[Size]):
    """What the command line asks for."""

    seeds: range
    jobs: int
    size: Size
    quick: bool
    write: Path | None


def main(study: Study[Size, Result], arguments: Sequence[str] | None = None) -> None:
    """Measure, print the page, and write it where that is asked for."""
    given = sys.argv[1:] if arguments is None else arguments
    asked = _read(study, given)
    command = shlex.join([*shlex.split(study.command), *given])
    lines = head(study.name, command, f"{date.today()}", _gist(study.about))
    lines += [which_seeds(asked.seeds), ""]
    if asked.quick:
        lines += ["Made with `--quick`: it shows that the study runs, and is no measurement.", ""]
    text = "\n".join([*lines, *study.report(results(study, asked), asked.seeds, asked.size), ""])
    print(text)
    if asked.write:
        asked.write.write_text(text, encoding="utf-8")


def results(study: Study[Size, Result], asked: Asked[Size]) -> dict[Any, list[Result]]:
    """Results of every subject, in the order of seeds; how far it is goes to stderr."""
    work = [(subject, seed) for subject in reversed(study.subjects) for seed in asked.seeds]
    found: dict[tuple[Any, int], Result] = {}
    for subject, seed, result in _done(study, work, asked):
        found[subject, seed] = result
        print(f"{len(found)} of {len(work)}: {subject}, seed {seed}", file=sys.stderr, flush=True)
    return {subject: [found[subject, seed] for seed in asked.seeds] for subject in study.subjects}


def _done(
    study: Study[Size, Result], work: Sequence[tuple[Any, int]], asked: Asked[Size]
) -> Iterator[tuple[Any, int, Result]]:
    """Results as they come: of this process, or of so many new ones."""
    if asked.jobs == 1:
        for subject, seed in work:
            yield subject, seed, study.measure(subject, seed, asked.size)
        return
    with workers(asked.jobs) as pool:
        running = {pool.submit(study.measure, *one, asked.size): one for one in work}
        for future in as_completed(running):
            yield *running[future], future.result()


def _read(study: Study[Size, Result], arguments: Sequence[str]) -> Asked[Size]:
    parser = argparse.ArgumentParser(study.command, description=_gist(study.about))
    parser.add_argument("--first-seed", type=_from(0), default=FIRST_SEED, help="by default %(default)s")
    parser.add_argument("--seeds", type=_from(1), help=f"how many; by default {SEEDS}, with --quick 1")
    parser.add_argument("--jobs", type=_from(1), default=1, help="processes")
    parser.add_argument("--quick", action="store_true", help="one seed and few steps, to see that it runs")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the page, in Markdown")
    for (field, full), quick in zip(study.full._asdict().items(), study.quick, strict=True):
        default = f"by default {full}, with --quick {quick}"
        parser.add_argument(f"--{field.replace('_', '-')}", type=_from(1), metavar="N", help=default)
    given = vars(parser.parse_args(arguments))
    size = study.quick if given["quick"] else study.full
    size = size._replace(**{field: given[field] for field in size._fields if given[field] is not None})
    if given["write"] and not given["write"].absolute().parent.is_dir():
        parser.error(f"--write: no folder {given['write'].parent}")
    seeds = given["seeds"] or (1 if given["quick"] else SEEDS)
    first = given["first_seed"]
    return Asked(range(first, first + seeds), given["jobs"], size, given["quick"], given["write"])


def _gist(about: str) -> str:
    """The first sentence, without its point."""
    return about.partition("\n")[0].removesuffix(".")


def _from(least: int) -> Callable[[str], int]:
    """A whole number, at least this."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise argparse.ArgumentTypeError(f"must be a whole number from {least}, got {text!r}")
        return int(text)

    return read
