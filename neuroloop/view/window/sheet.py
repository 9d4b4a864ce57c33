"""What is logged to Rerun: series of numbers in columns, pictures one by one, on the time lines `tick` and `time`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blueprint import blueprint
from .colours import SERIES, Pixels, png

SMALL = 1 << 16  # px of a picture that is passed on as it is: at once there, and sharp


class Sheet:
    """One run in a window; `stream` is where it goes. `live`: plots follow the newest."""

    def __init__(self, stream: Any, *, live: bool) -> None:
        self._stream, self._live = stream, live
        self._paths: dict[str, None] = {}
        self._arranged = 0

    def declare(
        self, path: str, names: Sequence[str], *, points: bool = False, held: bool = False, colours_from: int = 0
    ) -> None:
        """Names and colours of the series of a path. `points`: no lines between them; `held`: until the next number."""
        import rerun as rr

        colours = [SERIES[(k + colours_from) % len(SERIES)] for k in range(len(names))]
        style: Any
        if points:
            style = rr.SeriesPoints(names=list(names), colors=colours, marker_sizes=[2.5] * len(names))
        else:
            style = rr.SeriesLines(
                names=list(names), colors=colours, widths=[1.2] * len(names),
                aggregation_policy=rr.components.AggregationPolicy.MinMax,  # of what falls on one pixel: extremes
                interpolation_mode=rr.components.InterpolationMode.StepAfter if held else None,
            )  # fmt: skip
        self._stream.log(path, style, static=True)

    def series(
        self, path: str, ticks: NDArray[np.int64], t_s: NDArray[np.float64], values: NDArray[np.float64]
    ) -> None:
        """Numbers (n, k) at n times."""
        import rerun as rr

        times = [rr.TimeColumn("tick", sequence=ticks), rr.TimeColumn("time", duration=t_s)]
        column = rr.Scalars.columns(scalars=values.reshape(-1))
        self._stream.send_columns(path, times, column.partition([values.shape[1]] * len(values)))
        self._know(path.rpartition("/")[0] if path.startswith("return/") else path)

    def at(self, tick: int, t_s: float) -> None:
        """When what follows was so."""
        self._stream.set_time("tick", sequence=tick)
        self._stream.set_time("time", duration=t_s)

    def picture(self, path: str, picture: Pixels) -> None:
        """A picture of bytes: (height, width) or (height, width, channels)."""
        import rerun as rr

        flat = picture[..., 0] if picture.ndim == 3 and picture.shape[2] == 1 else picture
        image = rr.Image(flat)
        self._stream.log(path, image if flat.shape[0] * flat.shape[1] <= SMALL else image.compress(jpeg_quality=85))
        self._know(path)

    def painted(self, path: str, pixels: Pixels, colours: Pixels) -> None:
        """A picture whose bytes are places on a palette."""
        import rerun as rr

        small = pixels.size <= SMALL
        self._stream.log(
            path,
            rr.Image(colours[pixels])
            if small
            else rr.EncodedImage(contents=png(pixels, colours), media_type="image/png"),
        )
        self._know(path)

    def text(self, markdown: str) -> None:
        """What is known of the run."""
        import rerun as rr

        self._stream.log("run", rr.TextDocument(markdown, media_type="text/markdown"), static=True)

    def arrange(self) -> None:
        """Lay the window out anew, if there is something new to see."""
        if len(self._paths) > self._arranged:
            self._arranged = len(self._paths)
            self._stream.send_blueprint(blueprint(list(self._paths), live=self._live))

    def _know(self, path: str) -> None:
        self._paths.setdefault(path)
