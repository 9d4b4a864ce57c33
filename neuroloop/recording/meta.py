"""What a recording says of the run that it holds."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from .. import checkpoint, config
from ..activity import Activity
from ..link.spaces import describe
from ..loop.plant import step_time
from ..settings import SpikingConfig

if TYPE_CHECKING:
    from ..agent import Agent


def meta_of(agent: Agent, activity: Activity, command: str, started_ns: int, monotonic_ns: int) -> dict[str, str]:
    """Facts as texts, some of them JSON; `docs/recording-format.md` lists them."""
    settings, versions, lasts = agent.config, checkpoint.facts_of_versions(), step_time(agent.env)
    clock = settings.clock if isinstance(settings, SpikingConfig) else None
    machine = {
        "machine": platform.machine(), "system": platform.system(), "release": platform.release(),
        "processor": _processor(), "cores": str(os.cpu_count()),
    }  # fmt: skip
    return {
        "agent": agent.name, "env": agent.env_id, "seed": str(agent.seed), "toml": config.to_toml(settings),
        "neuroloop": versions["neuroloop"], "versions": _json(versions), "machine": _json(machine), "command": command,
        "started": datetime.fromtimestamp(started_ns / 1e9, UTC).isoformat(timespec="milliseconds"),
        "started_ns": str(started_ns), "monotonic_ns": str(monotonic_ns),
        "period": "" if lasts is None else repr(lasts * settings.plant.action_repeat),
        "dt": "" if clock is None else repr(clock.dt), "n_steps": "" if clock is None else str(clock.n_steps),
        "observation_space": _json(describe(agent.env.observation_space)),
        "action_space": _json(describe(agent.env.action_space)), "numbers": _json(activity.numbers),
    }  # fmt: skip


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _processor() -> str:
    """Its name, as Linux says it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as facts:
            return next((line.partition(":")[2].strip() for line in facts if line.startswith("model name")), "")
    except OSError:
        return platform.processor()
