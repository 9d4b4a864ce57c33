"""The process that writes an event file for TensorBoard: lines of JSON come in, step, time and scalars by name.

It ends when the other end of the pipe is closed, or was killed; if it cannot write, it says why and ends at once.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import BinaryIO

BOOT = "import sys; sys.path[:] = {path!r}; from neuroloop.view.board_writer import main; main({folder!r})"


def command(folder: Path) -> list[str]:
    """How this process is started: a new interpreter that finds what its owner finds."""
    return [sys.executable, "-P", "-c", BOOT.format(path=sys.path, folder=str(folder))]


def write(folder: str, lines: BinaryIO) -> None:
    """Write all lines to a file in `folder`. Raises `OSError`."""
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]  # tensorboardX would load it, and scalars need none of it
    from tensorboardX.event_file_writer import EventsWriter
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary

    file = EventsWriter(os.path.join(folder, "events"))
    for line in lines:
        step, at, scalars = json.loads(line)
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in scalars.items()]
        file.write_event(Event(wall_time=at, step=step, summary=Summary(value=values)))
        file.flush()
    file.close()


def main(folder: str) -> None:
    """Write what comes on stdin."""
    try:
        write(folder, sys.stdin.buffer)
    except OSError as error:
        print(error.strerror, flush=True)
        os._exit(1)  # closing the file would fail again
