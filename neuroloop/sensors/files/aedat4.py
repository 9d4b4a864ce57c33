"""Events in AEDAT 4.0, the files of iniVation's cameras: written by dv-processing, read by aedat."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import BadInput, MissingExtra
from .aedat4_packets import MAGIC, check_header, is_finished, packets
from .facts import Facts, Tally
from .source import as_events

__all__ = ["MAGIC", "Aedat4Reader", "Aedat4Writer"]
MOST_PIXELS = 1 << 15  # a side: addresses are signed 16-bit numbers
PACKET = 10_000  # events
CAMERA = "neuroloop"


class Aedat4Reader:
    """Reads the first stream of events. A damaged packet is lost, those after it are read."""

    def __init__(self, path: Path) -> None:
        try:
            import aedat
        except ImportError:
            raise MissingExtra("reading AEDAT4", "events") from None
        check_header(path)
        self._path, self._library = path, aedat
        streams = self._decoder().id_to_stream()
        self._stream = next((key for key, stream in streams.items() if stream["type"] == "events"), None)
        if self._stream is None:
            raise BadInput(f"{path}: holds no stream of events")
        width, height = (int(streams[self._stream][side]) or None for side in ("width", "height"))
        self.facts = Facts(path, "aedat4", width, height, None, None, None, path.stat().st_size)

    def blocks(self, tally: Tally) -> Iterator[NDArray[Any]]:
        """Read on from the first packet."""
        decoder = self._decoder()
        for n_bytes in packets(self._path, tally):
            try:
                packet = _called(next, decoder, None)
            except RuntimeError as error:
                tally.note(f"a packet that cannot be read: {error}", n_bytes)
                continue
            if packet is None:
                return
            if packet["stream_id"] == self._stream and "events" in packet:
                yield as_events(_signed(packet["events"]), self._path, tally)

    def close(self) -> None:
        """Nothing is open between passes."""

    def _decoder(self) -> Any:
        try:
            return _called(self._library.Decoder, os.fspath(self._path))
        except RuntimeError as error:
            raise BadInput(f"{self._path}: the header of this AEDAT4 file cannot be read: {error}") from None


def _called(function: Callable[..., Any], *arguments: Any) -> Any:
    """A call of the library, whose failures are `RuntimeError`; its panics on damaged files are no `Exception`."""
    try:
        return function(*arguments)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise RuntimeError(str(error)) from None


def _signed(records: NDArray[Any]) -> NDArray[Any]:
    """The library's records with times as the format has them, which is signed."""
    fields: Mapping[str, Any] = records.dtype.fields or {}
    names = ("t", "x", "y", "on")
    formats = ["<i8", *(fields[name][0] for name in names[1:])]
    dtype = np.dtype(
        {
            "names": names,
            "formats": formats,
            "offsets": [fields[name][1] for name in names],
            "itemsize": records.itemsize,
        }
    )
    return records.view(dtype)


class Aedat4Writer:
    """Writes packets of 10 000 events, compressed by LZ4."""

    def __init__(self, path: Path, width: int, height: int, named: Path) -> None:
        try:
            import dv_processing
        except ImportError:
            raise MissingExtra("writing AEDAT4", "events") from None
        if max(width, height) > MOST_PIXELS:
            raise BadInput(f"{named}: AEDAT4 holds at most {MOST_PIXELS} pixels a side, got {width} × {height}")
        path.open("xb").close()  # the library's own errors do not say why
        config = dv_processing.io.MonoCameraWriter.EventOnlyConfig(CAMERA, (width, height))
        self._path, self._named, self._store = path, named, dv_processing.EventStore
        self._writer: Any = dv_processing.io.MonoCameraWriter(os.fspath(path), config)

    def append(self, events: NDArray[Any]) -> None:
        """Write events."""
        if events["t_us"][0] < 0:
            raise BadInput(f"{self._named}: AEDAT4 holds no times below 0, got {events['t_us'][0]} µs")
        for begin in range(0, events.size, PACKET):
            part = events[begin : begin + PACKET]
            columns = (part["t_us"], part["x"], part["y"], part["p"].astype(bool))
            store = self._store()
            rows = zip(*(column.tolist() for column in columns), strict=True)
            deque(map(store.push_back, rows), 0)  # one call an event: the library takes no arrays
            self._writer.writeEvents(store)

    def close(self) -> None:
        """The library finishes the file when its writer is gone."""
        if self._writer is None:
            return
        self._writer = None
        if not is_finished(self._path):
            raise OSError("the file was not finished; is the disk full?")
