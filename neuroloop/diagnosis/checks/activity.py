"""Spikes: neither silence nor saturation carries anything."""

from __future__ import annotations

from collections.abc import Iterator

from ..advice import bias
from ..findings import Finding, Limits
from ..record import Record

SILENT = Limits(warning=0.1, problem=0.5, unit="of its neurons never fired")
SATURATED = Limits(warning=0.9, problem=0.97, unit="of what refractoriness allows")
USUAL_DRIVE = (2.5, 8.0)
CRITIC = "`--set learner.drive_range=[2.5,8.0]`"
RATE = Limits(warning=0.02, problem=0.002, unit="spikes a neuron and decision")


def silent(record: Record) -> Iterator[Finding]:
    """Neurons that never fired."""
    if not record.awake.any():
        return
    for population in record.populations:
        yield SILENT.finding(
            "silent neurons", f"population.{population.name}", float((population.total == 0).mean()),
            "neurons that never fire pair with nothing, so their synapses never learn",
            _drive(record, population.name, "more"),
        )  # fmt: skip


def saturated(record: Record) -> Iterator[Finding]:
    """Neurons that fire as fast as they can."""
    for population in record.populations:
        if record.awake.any():
            yield SATURATED.finding(
                "saturated neurons", f"population.{population.name}",
                float(population.most[record.late].mean()) / population.ceiling,
                "its most active neuron fires as fast as refractoriness allows, whatever the input: more drive changes "
                "nothing any more",
                _drive(record, population.name, "less"),
            )  # fmt: skip


def rate(record: Record) -> Iterator[Finding]:
    """Spikes per decision."""
    for population in record.populations:
        if record.awake.any():
            yield RATE.finding(
                "spikes", f"population.{population.name}", float(population.mean[record.late].mean()),
                "a count so small says next to nothing: actions are drawn by lot, values are noise",
                _drive(record, population.name, "more"),
            )  # fmt: skip


def _drive(record: Record, name: str, which: str) -> str:
    """How to give a population more or less."""
    if record.critic is not None and record.critic.population == name:
        if tuple(record.settings.get("learner.drive_range", ())) == USUAL_DRIVE:
            return "a value range that holds the values: the drive is in the linear part of the f-I curve already"
        return f"a drive in the linear part of the f-I curve ({CRITIC}), and a value range that holds the values"
    table = name.partition("[")[0]
    changed = bias(record, table, more=which == "more")
    return f"{which} drive: {changed}, or other gains of the projections onto it"
