"""Every error that a user can cause. A message says where, what was expected, what came and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class NeuroloopError(Exception):
    """Base class: catch this for whatever neuroloop refuses."""


class BadInput(NeuroloopError):
    """Something the user wrote is wrong: a name, a setting, a file. The command line exits with 2."""


class ConfigError(BadInput):
    """A setting is unknown, has the wrong type or lies outside its range; the message begins with its path."""


class UnsupportedSpace(BadInput):
    """An observation or action space that no encoder or decoder here can take."""


class CheckpointError(BadInput):
    """A file is not a checkpoint, is damaged, or belongs to another agent or plant."""


class RecordingError(BadInput):
    """A recording cannot be written, is none, is damaged, or belongs to another agent or plant."""


class PlantError(NeuroloopError):
    """The plant gave something that cannot be used, such as NaN. The command line exits with 1."""


class LinkError(NeuroloopError):
    """A peer sent what the protocol does not allow, refused us, or does not answer. The command line exits with 1."""


class DivergedError(NeuroloopError):
    """Learning left the numbers that can be computed with. The command line exits with 1."""


class MissingExtra(BadInput):
    """An optional dependency is not installed; the message holds the one command that installs it."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs the "{extra}" extra: pip install "neuroloop[{extra}]"')
        self._made_of = what, extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        """What is raised in another process arrives here."""
        return MissingExtra, self._made_of


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """A message for an unknown name, with the closest match."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
    return f"unknown {what} {name!r}: {hint}"
