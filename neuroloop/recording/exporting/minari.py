"""A Minari dataset (Farama Foundation), for offline reinforcement learning."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import MissingExtra, RecordingError
from ...types import Tick
from ..layout import parts_of
from ..reader import Recording

FOLDER = "MINARI_DATASETS_PATH"


def to_minari(recording: Recording, path: Path) -> None:
    """A folder of datasets with one in it, ENV/AGENT-v0: MINARI_DATASETS_PATH=FOLDER has Minari find it.

    Episodes that were not recorded to their end are cut off at their last observation; those that began before the
    recording, or have ticks missing, are left out.
    """
    try:
        import minari
        from minari.data_collector import EpisodeBuffer
    except ModuleNotFoundError:
        raise MissingExtra("export to Minari", "minari") from None
    if any(leaf.kind == "events" for leaf, _, _ in parts_of(recording.observation_space)):
        raise RecordingError(f"{recording.path}: Minari has no space for events; export to npz or parquet")
    episodes = list(_episodes(recording, EpisodeBuffer))
    if not episodes:
        raise RecordingError(f"{recording.path}: holds no episode from its beginning on")
    before = os.environ.get(FOLDER)
    os.environ[FOLDER] = str(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # that nobody is named as its author
            minari.create_dataset_from_buffers(
                dataset_id=f"{_name(recording.meta['env'])}/{_name(recording.meta['agent'])}-v0", buffer=episodes,
                observation_space=recording.observation_space, action_space=recording.action_space,
                algorithm_name=f"neuroloop {recording.meta['agent']}", description=recording.meta["command"] or None,
                requirements=[f"neuroloop=={recording.meta['neuroloop']}"],
            )  # fmt: skip
    finally:
        if before is None:
            del os.environ[FOLDER]
        else:
            os.environ[FOLDER] = before


def _name(text: str) -> str:
    """A name as Minari takes it."""
    return re.sub(r"[^A-Za-z0-9_-]", "-", re.sub(r"-v\d+$", "", text.rpartition(":")[2]))


def _episodes(recording: Recording, make: Any) -> Iterator[Any]:
    ticks: list[Tick] = []
    whole, seq = False, -1
    for one in recording.ticks():
        if one.tick.first:
            yield from _episode(ticks, make)
            ticks, whole = [], True
        elif one.seq != seq + 1:
            ticks, whole = [], False
        seq = one.seq
        if whole and one.tick.outcome is not None:
            ticks.append(one.tick)
    yield from _episode(ticks, make)


def _episode(ticks: list[Tick], make: Any) -> Iterator[Any]:
    """An episode, cut off where its last observation is not known."""
    answered = [
        (tick, tick.outcome) for tick in ticks if tick.outcome is not None and tick.outcome.observation is not None
    ]
    if not answered:
        return
    last = answered[-1][1]
    yield make(
        id=answered[0][0].episode,
        observations=[tick.observation for tick, _ in answered] + [last.observation],
        actions=[tick.action for tick, _ in answered],
        rewards=[outcome.reward for _, outcome in answered],
        terminations=[outcome.terminated for _, outcome in answered],
        truncations=[outcome.truncated for _, outcome in answered[:-1]] + [last.truncated or not last.terminated],
    )
