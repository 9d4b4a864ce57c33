"""How well a loop in real time kept its time, for people: the agent's, or a served plant's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

WHAT = {"late": "late by", "compute": "computing", "age": "saw what was"}


def timing_lines(timing: Mapping[str, Any] | None, not_permitted: Iterable[str] = ()) -> list[str]:
    """The lines of `Timing.report`, after what the operating system did not permit; without ticks there are none."""
    lines = [f"not permitted: {line}" for line in not_permitted]
    if not timing or not timing["ticks"]:
        return lines
    for name, what in WHAT.items():
        us = timing.get(f"{name}_us")
        if us and us["most"]:  # a plant that nobody commands has no age
            lines.append(
                f"{what:<13}{us['p50']:.0f} µs (median), {us['p99']:.0f} (99 %), {us['p999']:.0f} (99.9 %), "
                f"{us['most']:.0f} (most)"
            )
    held = f", {timing['held']} made up for" if timing.get("held") else ""
    lines.append(f"ticks        {timing['ticks']}, {timing['missed']} left out{held}")
    for low, high, n in timing["histogram_us"]:
        if n:
            lines.append(f"  {low:>6} … {'' if high is None else high:<6} µs late  {n}")
    return lines
