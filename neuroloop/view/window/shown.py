"""A run as it is shown: takes control steps and whatever else comes, and passes on as much of it as a window can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bands import Raster, Rolled, banded, weight_bands
from .colours import EVENTS, FIRE, SIGNED, palette, to_bytes
from .layout import Part, is_picture, parts_of
from .naming import action_names
from .scene import About, Scene
from .sheet import Sheet

MOST_POINTS = 50  # of a series, each time
KEEP = 0.6  # of what an event left in the picture, from one control step to the next
WHITE = 3.0  # events of a pixel that are the brightest
LEARNED = {"value": ("value", "td_error"), "modulator": ("modulator.critic", "modulator.others")}
_FIRE, _SIGNED, _EVENTS = palette(FIRE), palette(SIGNED), palette(EVENTS)
Rows = list[NDArray[np.float64]]


class Shown:
    """One run on a sheet. `began_ns`: where its time begins."""

    def __init__(self, sheet: Sheet, about: About, began_ns: int) -> None:
        self._sheet, self._about, self._began = sheet, about, began_ns
        self._parts = parts_of(about.observation, about.env)
        self._raster = Raster(about.populations)
        self._rolled = {part.name: Rolled(part.n) for part in self._parts if part.kind == "rolled"}
        self._scenes: list[Scene] = []
        self._ons: dict[str, NDArray[np.float32]] = {}  # ON less OFF of each pixel, by path
        self.ticks = 0
        self._declare()

    def _declare(self) -> None:
        sheet, about = self._sheet, self._about
        for part in self._parts:
            for group in part.groups:
                sheet.declare(_path(part, group.title), group.names)
        sheet.declare("action", action_names(about.env, about.action), held=True)
        sheet.declare("reward", ["reward"])
        sheet.declare("return/episode", ["so far"])
        sheet.declare("return/ended", ["episodes", "mean of 100"], points=True, colours_from=1)
        sheet.declare("timing", ["late", "computing", "age of what was seen"])
        sheet.declare("spikes", list(about.populations))
        for path, names in LEARNED.items():
            sheet.declare(path, [name for name in names if name in about.numbers])

    def tick(self, scene: Scene) -> None:
        """A control step."""
        self.ticks += 1
        self._scenes.append(scene)
        self._raster.note(scene.spikes)
        for part in self._parts:
            if part.kind == "events" and scene.observation is not None:
                self.events(part.name, part.of(scene.observation), *part.size)
            elif part.kind == "rolled" and scene.observation is not None:
                self._rolled[part.name].note(np.asarray(part.of(scene.observation)))

    def events(self, name: str, events: NDArray[Any], width: int, height: int) -> None:
        """The events of a control step."""
        path = "events" if name in ("events", "observation") else f"seen/{name}"
        seen = self._ons.setdefault(path, np.zeros((height, width), np.float32))
        seen *= KEEP
        place = events["y"].astype(np.int64) * width + events["x"]
        for polarity, sign in ((1, 1), (0, -1)):
            counts = np.bincount(place[events["p"] == polarity], minlength=seen.size)
            seen += sign * counts.reshape(seen.shape)

    def picture(self, path: str, picture: NDArray[np.uint8], tick: int, t_ns: int) -> None:
        """A rendered picture, or a frame of the camera."""
        self._at(tick, t_ns)
        self._sheet.picture(path, picture)

    def weights(
        self, weights: Mapping[str, NDArray[np.float32]], whole: Mapping[str, tuple[int, int]], tick: int, t_ns: int
    ) -> None:
        """All weights as a picture."""
        if any(part.size for part in weights.values()):
            self._at(tick, t_ns)
            self._sheet.painted("weights", banded(weight_bands(weights, whole), 127), _SIGNED)

    def episode(self, episode_return: float, mean: float | None, tick: int, t_ns: int) -> None:
        """An episode ended."""
        values = np.array([[episode_return, np.nan if mean is None else mean]])
        self._sheet.series("return/ended", np.array([tick]), np.array([self._seconds(t_ns)]), values)

    def flush(self, said: str = "") -> None:
        """Show what came since the last time. `said`: what else is known of the run."""
        self.paint()
        self.draw(MOST_POINTS)
        if said:
            self._sheet.text("  \n".join([*self._about.facts, said]))
        self._sheet.arrange()

    def paint(self) -> None:
        """Pictures as they are now."""
        if self._scenes:
            self._pictures(self._scenes[-1])

    def draw(self, most: int) -> None:
        """Series of what came since the last time, with at most about so many points each."""
        if self._scenes:
            self._series(self._scenes[:: max(1, -(-len(self._scenes) // most))])
            self._scenes = []

    def _series(self, scenes: list[Scene]) -> None:
        found: dict[str, tuple[list[Scene], Rows]] = {}
        for scene in scenes:
            for path, row in self._rows(scene).items():
                of, rows = found.setdefault(path, ([], []))
                of.append(scene)
                rows.append(row)
        for path, (of, rows) in found.items():
            ticks = np.array([scene.tick for scene in of])
            t_s = np.array([self._seconds(scene.t_ns) for scene in of])
            self._sheet.series(path, ticks, t_s, np.array(rows))

    def _rows(self, scene: Scene) -> dict[str, NDArray[np.float64]]:
        """Numbers of a control step, by path."""
        rows: dict[str, Any] = {"return/episode": [scene.episode_return]}
        if scene.reward is not None:
            rows["reward"] = [scene.reward]
        if scene.action is not None:
            rows["action"] = np.ravel(scene.action)
        if scene.timing is not None:
            rows["timing"] = [scene.timing[name] / 1e3 for name in ("late", "compute", "age")]
        if scene.spikes:
            rows["spikes"] = [counts.sum() for counts in scene.spikes.values()]
        for path, names in LEARNED.items():
            rows[path] = [scene.numbers[name] for name in names if name in scene.numbers]
        for part in self._parts if scene.observation is not None else ():
            if part.kind == "series":
                values = np.ravel(part.of(scene.observation))
                for group in part.groups:
                    rows[_path(part, group.title)] = values[group.start : group.start + len(group.names)]
        return {path: np.asarray(row, np.float64) for path, row in rows.items() if len(row)}

    def _pictures(self, scene: Scene) -> None:
        sheet = self._sheet
        self._at(scene.tick, scene.t_ns)
        if self._about.populations:
            sheet.painted("raster", banded(self._raster.bands(), 0), _FIRE)
        for name, rolled in self._rolled.items():
            sheet.painted(f"seen/{name}", banded(rolled.bands(), 0), _FIRE)
        for path, seen in self._ons.items():
            sheet.painted(path, to_bytes(seen, -WHITE, WHITE), _EVENTS)
        for part in self._parts if scene.observation is not None else ():
            self._see(part, np.asarray(part.of(scene.observation)) if part.kind in ("picture", "polarity") else None)

    def _see(self, part: Part, value: NDArray[Any] | None) -> None:
        """A part of the observation that is a picture."""
        if value is None:
            return
        path = f"seen/{part.name}"
        if part.kind == "polarity":
            difference = value[..., 1].astype(np.float32) - value[..., 0]
            most = max(float(np.abs(difference).max(initial=0.0)), 1e-9)
            self._sheet.painted(path, to_bytes(difference, -most, most), _EVENTS)
        elif value.dtype == np.uint8 and is_picture(value.shape, value.dtype):
            self._sheet.picture(path, value)
        else:
            flat = value.reshape(value.shape[:2]).astype(np.float32)
            self._sheet.picture(path, to_bytes(flat, float(flat.min()), float(flat.max())))

    def _at(self, tick: int, t_ns: int) -> None:
        self._sheet.at(tick, self._seconds(t_ns))

    def _seconds(self, t_ns: int) -> float:
        return (t_ns - self._began) / 1e9


def _path(part: Part, title: str) -> str:
    return f"observation/{title}" if not part.path else f"observation/{part.name}/{title}"
