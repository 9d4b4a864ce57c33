"""What a result depends on beside its settings: versions, and the code that runs in a run."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..checkpoint import facts_of_versions

APART = ("cli", "evaluation", "view")  # rooms of neuroloop that no run depends on
OURS = ("neuroloop", "neuroloop_envs")
WORLDS = {"pybullet_envs_gymnasium": ("pybullet", "pybullet-envs-gymnasium"), "neuroloop": ("pybullet",)}


def versions_of(env: str, baseline: bool = False) -> dict[str, str]:
    """Versions that a run on `env` depends on."""
    packages = WORLDS.get(env.partition(":")[0].partition("/")[0], ())
    if baseline:
        packages = (*packages, "stable-baselines3", "torch")
    return facts_of_versions() | {name: _version(name) for name in packages}


@functools.cache
def code_of(*packages: str) -> str:
    """A digest of the source of packages, but for what no run depends on."""
    digest = hashlib.sha256()
    for file in _sources(packages):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _sources(packages: Iterable[str]) -> Iterator[Path]:
    for package in packages:
        folder = Path(str(import_module(package).__file__)).parent
        for file in sorted(folder.rglob("*.py")):
            if file.relative_to(folder).parts[0] not in APART:
                yield file


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
