"""`neuroloop doctor`: why is it not learning?"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AgentName, Env, Json, Seed, Set, agent_of, is_checkpoint, print_json
from .stopping import stop_on_signals

if TYPE_CHECKING:
    from ..loop.lockstep import Progress

Steps = Annotated[int, typer.Option("--steps", min=1, help="Plant steps to watch while the agent learns.")]
All = Annotated[bool, typer.Option("--all", help="Show every figure, not only what is not fine.")]


def doctor(
    agent: AgentName,
    env: Env = None,
    steps: Steps = 12_000,
    seed: Seed = None,
    settings: Set = None,
    everything: All = False,
    json: Json = False,
) -> None:
    """Watch an agent learn, say what keeps it from learning, and what to change. AGENT may also be a checkpoint.

    Exits with 0 whatever is found. Ctrl-C ends the watch early: what was seen so far is reported.
    """
    from ..diagnosis import examine
    from ..diagnosis.report import as_dict, print_findings
    from ..diagnosis.watch import watch
    from ..errors import BadInput
    from ..view.live import LiveLine

    if env and is_checkpoint(agent):
        raise BadInput("--env: a checkpoint belongs to its environment")
    patient = agent_of(agent, env, seed, settings)
    line = LiveLine(patient, sys.stderr)

    def between(_: Progress) -> bool:
        line.show()
        return not stop.signal

    with stop_on_signals() as stop:
        try:
            record = watch(patient, steps, between)
        finally:
            line.close()
            patient.close()
    findings = examine(record)
    if stop.signal:
        print(
            f"neuroloop: stopped after {record.n_plant_steps} of {steps} steps; here is what was watched",
            file=sys.stderr,
        )
    print_findings(record, findings, sys.stderr if json else sys.stdout, everything=everything)
    if json:
        print_json(as_dict(record, findings))
    if stop.signal:
        raise SystemExit(128 + stop.signal)
