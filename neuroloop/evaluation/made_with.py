"""What a result depends on beside its settings: versions, and the code that runs in a run."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ..checkpoint import facts_of_versions

APART = ("cli", "evaluation", "studies", "view")  # rooms that no run depends on
OURS = ("neuroloop", "neuroloop_envs")
WORLDS = {"pybullet_envs_gymnasium": ("pybullet", "pybullet-envs-gymnasium"), "neuroloop": ("pybullet",)}


def made_with(env: str, *, baseline: bool = False) -> str:
    """All that a run of ours on `env`, or of a baseline, depends on beside its settings."""
    packages = WORLDS.get(env.partition(":")[0].partition("/")[0], ())
    if baseline:
        packages = (*packages, "stable-baselines3", "torch")
    versions = facts_of_versions() | {name: _version(name) for name in packages}
    return f"{versions} {code_of('neuroloop_agents') if baseline else code_of(*OURS)} {_code_of_world(env)}"


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


def _code_of_world(env: str) -> str:
    """A digest of the module of a `module:id`, if it is a single file, such as one of the user's."""
    module = env.rpartition(":")[0]
    spec = importlib.util.find_spec(module) if module else None
    file = Path(spec.origin or "") if spec else Path()
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else ""


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
