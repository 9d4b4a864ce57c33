"""What is in a recording, in a few lines."""

from __future__ import annotations

from typing import Any

import msgspec

from ..errors import RecordingError
from .reader import Recording


def info_of(recording: Recording) -> dict[str, Any]:
    """Facts of a recording, ready for JSON; reads the numbers of every tick, and so all of the file."""
    meta = recording.meta
    facts: dict[str, Any] = {
        "file": str(recording.path), "bytes": recording.path.stat().st_size, "complete": recording.complete,
        "ended": recording.end.get("reason", "cut off"), "dropped": recording.dropped,
        "lost_parts": recording.lost_parts, "damage": None,
        "agent": meta["agent"], "env": meta["env"], "seed": int(meta["seed"]), "command": meta["command"],
        "started": meta["started"], "versions": _plain(meta["versions"]), "machine": _plain(meta["machine"]),
        "observation_space": str(recording.observation_space), "action_space": str(recording.action_space),
        "digest": recording.digest,
    }  # fmt: skip
    return facts | _ticks(recording)


def _ticks(recording: Recording) -> dict[str, Any]:
    try:
        number, seq, times = (recording.column(name) for name in ("tick", "seq", "t_ns"))
    except RecordingError as error:
        return {"ticks": None, "damage": str(error)}
    offered = int(recording.end.get("offered") or (recording.end["ticks"] if recording.complete else 0))
    known = max(offered, int(seq[-1]) + 1 if seq.size else 0)  # ticks that there were, as far as anything tells
    facts: dict[str, Any] = {
        "ticks": number.size, "missing": known - number.size, "columns": list(recording.columns)
    }  # fmt: skip
    if not number.size:
        return facts
    returns = recording.episodes()["return"]
    return facts | {
        "first_tick": int(number[0]), "last_tick": int(number[-1]),
        "seconds": float(times[-1] - times[0]) / 1e9, "episodes": returns.size,
        "mean_return": float(returns.mean()) if returns.size else None,
        "environment_steps": int(recording.column("n_steps").sum()),
    }  # fmt: skip


def _plain(text: str) -> Any:
    return msgspec.json.decode(text)
