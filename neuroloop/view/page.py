"""One HTML page of a run that stands alone: outcome, figures, timing, configuration; nothing is fetched from elsewhere."""

from __future__ import annotations

import base64
import contextlib
import html
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .. import __version__, checkpoint
from ..errors import BadInput
from . import written
from .plots.every import Wanted, draw_all
from .plots.runs import Run, report_of
from .plots.style import WIDTHS, Printed

DPI = 200  # of figures on the page
CAPTIONS = {
    "learning": "Returns of training episodes, exploration included, over environment steps.",
    "weights": "Weights and their change.",
    "raster": "Spikes of the first control steps that are recorded.",
    "signals": "Reward, value, TD error and neuromodulators over the recording.",
    "trajectory": "The observation over the recording.",
    "timing": "How control steps kept their time.",
}
STYLE = Path(__file__).with_suffix(".css")


def page_of(run: Run) -> str:
    """The page of a run's folder, as far as its files permit. Raises `BadInput` where they hold nothing to show."""
    report, saved = report_of(run), None if run.checkpoint is None else checkpoint.read(run.checkpoint)
    recorded = {} if run.recording is None else _recorded(run.recording)
    facts = recorded | ({} if saved is None else saved.facts) | report
    timing = _section("Timing", _timing(report["timing"], run)) if report.get("timing") else ""
    figures, missing = draw_all([run], Wanted())
    title = f"{facts.get('agent', run.path.stem)} on {facts.get('env', 'its environment')}"
    parts = [
        f"<h1>{_text(title)}</h1>", _outcome(report), _section("What ran", _table(_what_ran(facts, run))),
        _section("Figures", _figures(figures, missing)), timing,
    ]  # fmt: skip
    toml = recorded.get("toml") if saved is None else saved.toml
    parts.append(_section("Configuration", f"<pre>{_text(toml)}</pre>"))
    return "\n".join([
        "<!DOCTYPE html>", '<html lang="en">', "<head>", '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">', f"<title>{_text(title)}</title>",
        f"<style>\n{STYLE.read_text(encoding='utf-8')}</style>", "</head>", "<body>", *parts,
        f'<p class="faint">Made by neuroloop {__version__} of {_text(run.path)}.</p>', "</body>", "</html>", "",
    ])  # fmt: skip


def _recorded(path: Path) -> dict[str, Any]:
    """What a recording says of its run, in the form of a report."""
    from ..recording.reader import Recording

    facts: dict[str, Any] = dict(Recording(path).meta)
    with contextlib.suppress(KeyError, ValueError):
        facts["versions"], facts["machine"] = json.loads(facts["versions"]), json.loads(facts["machine"])
    return facts


def write(page: str, path: Path) -> Path:
    """Write a page, all of it or nothing. Raises `BadInput`."""
    try:
        return written.write(path, page.encode())
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from None


def _text(value: Any) -> str:
    return html.escape(_short(value) if isinstance(value, float) else str(value))


def _short(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10.0 else f"{value:.3g}"


def _outcome(report: Mapping[str, Any]) -> str:
    """In a sentence what became of the run."""
    if not report:
        return '<p class="outcome">there is no closing report: what became of the run is not known</p>'
    mean, criterion = report.get("mean_return_100"), report.get("criterion")
    told = "no episode ended" if mean is None else f"mean of the last 100 returns {_text(mean)}"
    if report.get("solved"):
        said = f"solved at step {_text(report.get('solved_at_step'))}: mean of 100 returns reached {_text(criterion)}"
    elif criterion is not None:
        said = f"not solved: {told}, criterion {_text(criterion)}"
    else:
        said = f"{told}; the environment names no criterion"
    return f'<p class="outcome">{said}{"; stopped by the user" if report.get("interrupted") else ""}</p>'


def _what_ran(facts: Mapping[str, Any], run: Run) -> Iterable[tuple[str, str]]:
    """Rows of the table, as HTML."""
    plain = {
        "agent": "agent", "env": "environment", "seed": "seed", "episodes": "episodes", "steps": "environment steps",
        "steps_per_s": "environment steps a second", "times_real_time": "times real time", "wall_s": "seconds on the wall",
        "us_per_tick_median": "µs a decision (median)", "spikes_per_tick": "spikes a decision",
    }  # fmt: skip
    for key, name in plain.items():
        if facts.get(key) is not None:
            yield name, _text(facts[key])
    for key in ("versions", "machine"):
        if isinstance(facts.get(key), dict):
            yield key, _text(", ".join(f"{name} {value}" for name, value in facts[key].items()))
    if facts.get("command"):
        yield "command", f"<code>{_text(facts['command'])}</code>"
    for name, file in (("checkpoint", run.checkpoint), ("recording", run.recording)):
        if file is not None:
            yield name, f"<code>{_text(file)}</code>"


def _figures(figures: Mapping[str, Printed], missing: Mapping[str, str]) -> str:
    shown = []
    for name, figure in figures.items():
        picture = io.BytesIO()
        figure.savefig(picture, format="png", dpi=DPI)
        data, caption = base64.b64encode(picture.getvalue()).decode(), _text(CAPTIONS[name])
        narrow = ' class="one"' if figure.get_figwidth() < WIDTHS["two"] else ""
        image = f'<img alt="{caption}" src="data:image/png;base64,{data}">'
        shown.append(f"<figure{narrow}><div class='wide'>{image}</div><figcaption>{caption}</figcaption></figure>")
    if missing:
        rows = "".join(f"<li>{_text(name)}: {_text(why)}</li>" for name, why in missing.items())
        shown.append(
            f'<details class="faint"><summary>Figures that these files do not permit</summary><ul>{rows}</ul></details>'
        )
    return "\n".join(shown)


def _timing(timing: Any, run: Run) -> str:
    """The tables. Raises `BadInput` for what no run writes."""
    try:
        return _timing_tables(timing)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput(f"{run.report}: timing: is not as `run` writes it: {error!r}") from None


def _timing_tables(timing: Mapping[str, Any]) -> str:
    """Percentiles, and how many control steps were how late."""
    heads = {
        "late_us": "late by",
        "period_us": "period",
        "compute_us": "computing",
        "age_us": "age of what was observed",
    }
    columns = {"p50": "median", "p99": "99 %", "p999": "99.9 %", "most": "most"}
    head = "".join(f'<th class="n">{name}</th>' for name in columns.values())
    rows = [
        f"<tr><td>{name}</td>" + "".join(f'<td class="n">{timing[key][c]:.0f}</td>' for c in columns) + "</tr>"
        for key, name in heads.items() if key in timing
    ]  # fmt: skip
    late = [
        f'<tr><td>{low:g} to {"∞" if high is None else f"{high:g}"}</td><td class="n">{n}</td></tr>'
        for low, high, n in timing.get("histogram_us", ()) if n
    ]  # fmt: skip
    return (
        f'<div class="wide"><table><tr><th>µs</th>{head}</tr>{"".join(rows)}</table></div>'
        f"<p>{_text(timing.get('ticks'))} control steps, {_text(timing.get('missed'))} left out.</p>"
        f'<table><tr><th>late by (µs)</th><th class="n">control steps</th></tr>{"".join(late)}</table>'
    )


def _table(rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(f"<tr><th>{_text(name)}</th><td>{value}</td></tr>" for name, value in rows)
    return f'<div class="wide"><table>{body}</table></div>'


def _section(title: str, content: str) -> str:
    return f"<section><h2>{_text(title)}</h2>\n{content}</section>"
