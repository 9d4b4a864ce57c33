"""`neuroloop agents`, `envs` and `info`: what is there."""

from __future__ import annotations

import difflib
import importlib
from pathlib import Path
from typing import Annotated, Any

import typer

from .options import Json, print_json
from .recordings import show_recording

EXTRAS = {
    "plot": "matplotlib", "box2d": "Box2D", "sweep": "optuna", "cluster": "distributed", "baselines": "stable_baselines3",
    "events": "h5py", "parquet": "pyarrow", "minari": "minari", "video": "imageio_ffmpeg",
}  # fmt: skip
Name = Annotated[str | None, typer.Argument(metavar="AGENT", help="Print this one, with every setting.")]
File = Annotated[Path | None, typer.Argument(metavar="FILE", help="Tell of this recording instead.")]
Pattern = Annotated[str, typer.Argument(metavar="PATTERN", help="Show ids that contain this.")]


def agents(name: Name = None, json: Json = False) -> None:
    """List the ready-made agents, or print one as TOML with every setting: a start for a file of your own."""
    from ..agent import agents as known
    from ..agent import read_config
    from ..config import to_toml

    if name is not None:
        print(to_toml(read_config(name)[1]), end="")
        return

    rows = [(name, read_config(name)[1], path) for name, path in known().items()]
    if json:
        print_json(
            {
                name: {"env": config.plant.env or None, "about": config.about, "file": str(path)}
                for name, config, path in rows
            }
        )
        return
    _print_table(
        [
            ("agent", "environment", "about"),
            *((name, config.plant.env or "any", config.about) for name, config, _ in rows),
        ]
    )


def envs(pattern: Pattern = "", json: Json = False) -> None:
    """List the environments that are installed, ours first."""
    import gymnasium

    importlib.import_module("neuroloop_envs")
    specs = [spec for name, spec in gymnasium.registry.items() if pattern.lower() in name.lower()]
    specs.sort(key=lambda spec: (not spec.id.startswith("neuroloop/"), spec.id))
    if json:
        print_json(
            {
                spec.id: {"reward_threshold": spec.reward_threshold, "max_episode_steps": spec.max_episode_steps}
                for spec in specs
            }
        )
        return
    if not specs:
        print(_no_match(pattern, list(gymnasium.registry)))
        return
    heads = ("environment", "criterion", "longest episode")
    _print_table([heads, *((spec.id, _text(spec.reward_threshold), _text(spec.max_episode_steps)) for spec in specs)])


def _no_match(pattern: str, ids: list[str]) -> str:
    """What to say where no id contains a pattern; the closest is sought without namespace and version too."""
    ids = sorted(ids, key=lambda name: "/" not in name)  # where two are equally close, the plain one
    names = {
        short: name for name in ids for short in (name.lower(), name.lower().rpartition("/")[2].rpartition("-v")[0])
    }
    close = difflib.get_close_matches(pattern.lower(), names, n=1, cutoff=0.5)
    hint = f"did you mean {names[close[0]]!r}?" if close else "`neuroloop envs` lists what is installed"
    return f"no environment matches {pattern!r}: {hint}"


def info(file: File = None, json: Json = False) -> None:
    """Versions, machine, extras and where compiled kernels are kept; or what is in a recording."""
    if file is not None:
        show_recording(file, json)
        return
    import importlib.util
    import os
    import platform

    from .._numba import cache_root

    names = ("neuroloop", "gymnasium", "numba", "numpy", "msgspec", "pybullet")
    facts: dict[str, Any] = {"python": platform.python_version()} | {name: _version(name) for name in names}
    facts |= {"machine": platform.machine(), "system": platform.system(), "cores": os.cpu_count()}
    facts |= {f"extra {extra}": importlib.util.find_spec(module) is not None for extra, module in EXTRAS.items()}
    facts["kernels"] = str(cache_root())
    if json:
        print_json(facts)
        return
    shown = {True: "installed", False: "not installed", None: "not installed"}
    _print_table(
        [
            (name, shown[value] if value is None or isinstance(value, bool) else str(value))
            for name, value in facts.items()
        ]
    )


def _version(name: str) -> str | None:
    import importlib.metadata

    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _text(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
