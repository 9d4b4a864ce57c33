"""`neuroloop replay`: a recording once more, bit for bit, or with a changed rule or network."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json, Set, print_json

if TYPE_CHECKING:
    from ..recording.changed import Changed, Pair
    from ..recording.comparing import Difference
    from ..recording.replay import ReplayReport

File = Annotated[Path, typer.Argument(metavar="FILE", help="A recording, made by `neuroloop run … --record FILE`.")]
Other = Annotated[
    str | None, typer.Option("--agent", metavar="AGENT", help="Feed the stream to this agent: a name or a TOML file.")
]


def replay(file: File, settings: Set = None, agent: Other = None, json: Json = False) -> None:
    """Feed a recording to a fresh controller, and compare spikes, numbers, actions and weights with what was recorded.

    With --set or --agent it also tells what a changed rule or network does with the same stream. Exits with 1 where the
    recorded run is not met again.
    """
    from ..recording.replay import replay as replayed

    report = replayed(file, settings or (), agent)
    if json:
        print_json(as_json(report))
    else:
        for line in lines_of(report):
            print(line)
    if not report.same or report.damaged:
        raise typer.Exit(1)


def as_json(report: ReplayReport) -> dict[str, Any]:
    """A report ready for JSON."""
    facts = report._asdict() | {"exact": report.exact, "same": report.same, "ticks_per_s": _rate(report)}
    facts["first"], facts["first_far"] = _difference(report.first), _difference(report.first_far)
    if report.changed is not None:
        changed = report.changed._asdict() | {"first": _difference(report.changed.first)}
        for name in ("spikes", "numbers"):
            changed[name] = {key: pair._asdict() for key, pair in changed[name].items()}
        facts["changed"] = changed
    return facts


def _difference(found: Difference | None) -> dict[str, Any] | None:
    if found is None:
        return None
    plain = {
        name: value if isinstance(value, float | int | str) else str(value) for name, value in found._asdict().items()
    }
    return plain | {"said": str(found)}


def lines_of(report: ReplayReport) -> list[str]:
    """A report for people."""
    lines = [
        f"replayed    {report.ticks} decisions, {report.episodes} episodes of {report.agent} on {report.env}, seed "
        f"{report.seed}, {_rate(report):.0f} a second"
    ]
    if report.stopped is not None:
        lines.append(f"not beyond  {report.stopped}")
    if report.elsewhere is not None:
        lines.append(f"elsewhere   recorded with {report.elsewhere}: equal to 1e-5 will do")
    lines.append(f"{'result':12}{_verdict(report)}")
    if report.first is not None:
        lines.append(f"begins at   {report.first}")
        if report.first_far is not None and report.first_far != report.first:
            lines.append(f"by > 1e-5   {report.first_far}")
    return lines if report.changed is None else lines + _lines_of_changed(report.changed)


def _verdict(report: ReplayReport) -> str:
    weights = {True: ", weights too", False: "", None: "; weights could not be compared"}[report.weights_equal]
    if not report.ticks:
        return "nothing was compared" if report.weights_equal is None else "no decision was recorded"
    if report.exact:
        return f"equal, bit for bit{weights}"
    if report.first is None:
        return "spikes, numbers and actions are equal, the weights at the end are not"
    if report.same:
        return f"equal to 1e-5; {report.differing} decisions differ in the last bits"
    return f"{report.differing} of {report.ticks} decisions differ"


def _lines_of_changed(changed: Changed) -> list[str]:
    settings = changed.settings or ("nothing is changed",)
    lines = ["", *(f"{'' if k else 'what if':12}{setting}" for k, setting in enumerate(settings))]
    lines.append(f"begins with {changed.begins}")
    if changed.stopped is not None:
        lines.append(f"not beyond  {changed.stopped}")
    if changed.first is not None:
        lines.append(f"from        {changed.first}")
    rms = f", rms {', '.join(f'{one:.3g}' for one in changed.rms)}" if changed.rms else ""
    first = "" if changed.first_action is None else f", from tick {changed.first_action} on"
    lines.append(f"actions     {100 * changed.actions:.1f} % of {changed.ticks} decisions are others{first}{rms}")
    lines += [f"spikes      {name}: {_pair(pair)} a decision" for name, pair in changed.spikes.items()]
    for name, pair in changed.numbers.items():
        apart = changed.numbers_rms.get(name)
        rms = "" if apart is None else f"; rms of the difference {apart:.3g}"
        lines.append(f"mean        {name}: {_pair(pair)}{rms}")
    for name, distance in (changed.weights or {}).items():
        lines.append(f"weights     {name}: {100 * distance:.2f} % apart at the end")
    if changed.weights is None:
        lines.append("weights     not to be compared")
    return lines


def _pair(pair: Pair) -> str:
    then, now = ("none" if one is None else f"{one:.4g}" for one in pair)
    return f"{then}, now {now}"


def _rate(report: ReplayReport) -> float:
    return report.ticks / max(report.wall_s, 1e-9)
