"""What was seen: events as an AEDAT4 file, pictures as a film. Films last as long as the run did on the plant's clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import MissingExtra, RecordingError
from ...sensors.files.writing import EventWriter
from ..channels import Leaf
from ..reader import Recording
from .flat import Field, fields_of

LONGEST = 50.0  # frames a second at most
LEAST_SIDE = 128  # pixels; smaller pictures are enlarged by whole factors
GREY, ON, OFF = 128, 255, 0


def to_aedat4(recording: Recording, path: Path) -> None:
    """All events of the first camera, in order. Their clock is the camera's; where an episode began it anew, it goes on."""
    field = _first_events(recording)
    with EventWriter(path, field.leaf.width, field.leaf.height) as writer:
        last = offset = 0
        for one in recording.ticks():
            events = np.array(field.get(one.tick))
            if not events.size:
                continue
            if events["t_us"][0] + offset < last:
                offset = last - int(events["t_us"][0])
            events["t_us"] += offset
            last = int(events["t_us"][-1])
            writer.append(events)


def to_gif(recording: Recording, path: Path) -> None:
    """A film as GIF, which repeats."""
    try:
        from PIL import Image
    except ModuleNotFoundError:
        raise MissingExtra("export to gif", "plot") from None
    every, fps = _pace(recording, 25.0)
    frames = (Image.fromarray(frame) for frame in _frames(recording, every))
    first = next(frames, None)
    if first is None:
        raise RecordingError(f"{recording.path}: has no tick to show")
    first.save(path, "GIF", save_all=True, append_images=frames, duration=1000.0 / fps, loop=0)


def to_mp4(recording: Recording, path: Path) -> None:
    """A film as H.264 in MP4."""
    try:
        import imageio_ffmpeg
    except ModuleNotFoundError:
        raise MissingExtra("export to mp4", "video") from None
    every, fps = _pace(recording, LONGEST)
    writer: Any = None
    try:
        for frame in _frames(recording, every):
            if writer is None:
                size = frame.shape[1], frame.shape[0]
                writer = imageio_ffmpeg.write_frames(
                    str(path), size, fps=fps, macro_block_size=2, output_params=["-f", "mp4"]
                )
                writer.send(None)
            writer.send(np.ascontiguousarray(frame))
    finally:
        if writer is not None:
            writer.close()
    if writer is None:
        raise RecordingError(f"{recording.path}: has no tick to show")


def _pace(recording: Recording, most: float) -> tuple[int, float]:
    """Every how many ticks a frame is shown, and how many a second."""
    period = float(recording.meta["period"] or recording.meta["dt"] or 0.02)
    every = max(1, round(1.0 / (most * period)))
    return every, min(most, 1.0 / (every * period))


def _first_events(recording: Recording) -> Field:
    for field in fields_of(recording):
        if field.leaf.kind == "events":
            return field
    raise RecordingError(
        f"{recording.path}: its observations hold no events, they are {recording.observation_space}: a world that counts the "
        "events of its own camera, as lane-keeping does, shows the counts, and these are recorded; export to npz or parquet. "
        "Events themselves are recorded where the agent gets them: see `neuroloop run --events`"
    )


def _frames(recording: Recording, every: int) -> Iterator[NDArray[np.uint8]]:
    """RGB pictures of every so many ticks, (height, width, 3)."""
    found = [field for field in fields_of(recording) if field.leaf.kind in ("picture", "events")]
    if not found:
        raise RecordingError(
            f"{recording.path}: its observations hold no pictures and no events; record a plant that "
            "sees, or show its numbers: export to csv, or open the recording itself in Rerun or Foxglove"
        )
    field = found[0]
    scale = max(1, -(-LEAST_SIDE // min(field.leaf.height, field.leaf.width)))
    seen: list[NDArray[Any]] = []
    for k, one in enumerate(recording.ticks()):
        value = np.asarray(field.get(one.tick))
        seen.append(value)
        if k % every == every - 1:
            picture = (
                _drawn(field.leaf, np.concatenate(seen)) if field.leaf.kind == "events" else _rgb(field.leaf, value)
            )
            yield picture.repeat(scale, 0).repeat(scale, 1)
            seen = []


def _drawn(leaf: Leaf, events: NDArray[Any]) -> NDArray[np.uint8]:
    picture = np.full((leaf.height, leaf.width, 3), GREY, np.uint8)
    picture[events["y"], events["x"]] = np.where(events["p"] > 0, ON, OFF)[:, None]
    return picture


def _rgb(leaf: Leaf, value: NDArray[Any]) -> NDArray[np.uint8]:
    """A picture as it is, or its numbers from least to greatest as from black to white."""
    if leaf.picture == "rgb8":
        return value
    plain = value.reshape(leaf.height, leaf.width)
    if leaf.picture == "32FC1":
        low, high = float(np.nanmin(plain)), float(np.nanmax(plain))
        plain = np.nan_to_num((plain - low) * (255.0 / max(high - low, 1e-12))).astype(np.uint8)
    return np.repeat(plain[:, :, None], 3, 2)
