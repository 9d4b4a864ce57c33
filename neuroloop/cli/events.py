"""`neuroloop events`: what an event file holds, and the same events in another format. A loss makes the exit code 1."""

from __future__ import annotations

import re
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Json, print_json
from .stopping import Stop, stop_on_signals

if TYPE_CHECKING:
    from ..sensors.files import EventReader, Facts, Loss, Summary

app = typer.Typer(help="Event files: what they hold, and conversion.", no_args_is_help=True, rich_markup_mode=None)
File = Annotated[Path, typer.Argument(metavar="FILE", help="An event file: .npy, .h5, .aedat4 or .raw.")]
Target = Annotated[Path, typer.Argument(metavar="TO", help="What to write; its ending says the format.")]
Size = Annotated[
    str | None, typer.Option("--size", metavar="WxH", help="Pixels of the sensor, where the file does not say them.")
]
Format = Annotated[
    str | None,
    typer.Option("--format", metavar="NAME", help="npy, hdf5, aedat4, evt3 or evt2. Default: by the ending."),
]


class Interrupted(Exception):
    """A signal came."""


@app.command("info")
def info(file: File, size: Size = None, json: Json = False) -> None:
    """Read a file to its end and say what it holds, and what could not be read."""
    from ..sensors.files import summary

    reader = _reader(file, size)
    with stop_on_signals() as stop, warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)  # the loss is in the report
        try:
            found = summary(reader, _progress(stop))
        except Interrupted:
            raise SystemExit(128 + stop.signal) from None
    report = _report(found)
    if json:
        print_json(report)
    else:
        _print(found, report)
    if found.loss:
        raise SystemExit(1)


@app.command("convert")
def convert(source: File, target: Target, size: Size = None, encoding: Format = None, json: Json = False) -> None:
    """Write the events of a file in another format. Ctrl-C leaves no half file."""
    from ..errors import BadInput
    from ..sensors.files import EventWriter

    reader = _reader(source, size)
    width, height = reader.facts.width, reader.facts.height
    if target.suffix.lower() == ".npy" and encoding in (None, "npy"):
        width, height = width or 1 << 16, height or 1 << 16  # which .npy does not say
    if width is None or height is None:
        raise BadInput(f"{source}: does not say how large the sensor was; add --size, as in --size 640x480")
    if target.exists() and source.samefile(target):
        raise BadInput(f"{target}: is the file that is read")
    with stop_on_signals() as stop, warnings.catch_warnings():
        warnings.simplefilter("ignore", category=UserWarning)
        show = _progress(stop)
        try:
            with EventWriter(target, width, height, encoding=encoding) as writer:
                for events in reader.blocks():
                    writer.append(events)
                    show(writer.n_events)
        except Interrupted:
            print(f"neuroloop: stopped; {target} is not written", file=sys.stderr)
            raise SystemExit(128 + stop.signal) from None
    report = {"from": str(source), "to": str(target), "events": writer.n_events} | _sizes(source, target)
    report["lost"] = _lost(reader.loss)
    if json:
        print_json(report)
    else:
        print(f"{target}: {writer.n_events} events, {report['to_bytes']} bytes (from {report['from_bytes']})")
        _tell(reader.loss)
    if reader.loss:
        raise SystemExit(1)


def _reader(file: Path, size: str | None) -> EventReader:
    from ..errors import BadInput
    from ..sensors.files import open_events

    if size is None:
        return open_events(file)
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", size)
    if not match:
        raise BadInput(f"--size: must be WIDTHxHEIGHT, as in 640x480, got {size!r}")
    return open_events(file, width=int(match[1]), height=int(match[2]))


def _progress(stop: Stop) -> Callable[[int], None]:
    """Shows how many events there were, twice a second, and ends the work once a signal came."""
    from ..view.live import Line

    line, shown = Line(sys.stderr), time.perf_counter()

    def show(n_events: int) -> None:
        nonlocal shown
        if stop.signal:
            line.wipe()
            raise Interrupted
        if time.perf_counter() - shown > 0.5 and line.due():
            shown = time.perf_counter()
            line.show([f"{n_events / 1e6:.1f} M events"])

    return show


def _report(found: Summary) -> dict[str, Any]:
    facts = found.facts
    seconds = _seconds(facts)
    return {
        "file": str(facts.path), "format": facts.format, "bytes": facts.n_bytes, "width": facts.width,
        "height": facts.height, "events": facts.n_events, "first_us": facts.first_us, "last_us": facts.last_us,
        "seconds": seconds, "events_per_s": (facts.n_events or 0) / seconds if seconds else None, "on": found.on,
        "right": found.right if found.right >= 0 else None, "bottom": found.bottom if found.bottom >= 0 else None,
        "in_order": found.in_order, "lost": _lost(found.loss),
    }  # fmt: skip


def _seconds(facts: Facts) -> float:
    return 0.0 if facts.first_us is None or facts.last_us is None else (facts.last_us - facts.first_us) / 1e6


def _lost(loss: Loss | None) -> dict[str, Any] | None:
    if loss is None:
        return None
    return {
        "bytes": loss.n_bytes, "events": loss.n_events, "from_us": loss.from_us, "until_us": loss.until_us,
        "why": list(loss.why),
    }  # fmt: skip


def _sizes(source: Path, target: Path) -> dict[str, Any]:
    return {"from_bytes": source.stat().st_size, "to_bytes": target.stat().st_size}


def _print(found: Summary, report: dict[str, Any]) -> None:
    facts, n = found.facts, found.facts.n_events or 0
    size = f"{facts.width} × {facts.height} pixels" if facts.width else "sensor of unknown size"
    print(f"{facts.path}: {facts.format}, {size}, {facts.n_bytes} bytes")
    if n:
        rate = f", {report['events_per_s']:.0f} a second" if report["events_per_s"] else ""
        print(f"{n} events, {100 * found.on / n:.0f} % ON{rate}; to column {found.right} and row {found.bottom}")
        print(f"from {facts.first_us} to {facts.last_us} µs: {report['seconds']:g} s", end="")
        print("" if found.in_order else "; not in order of time")
    else:
        print("no events")
    _tell(found.loss)


def _tell(loss: Loss | None) -> None:
    if loss:
        print(f"lost: {loss}")
