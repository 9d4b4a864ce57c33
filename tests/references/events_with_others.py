"""Event files and other libraries: makes files with them for our tests to read, and has them read files of ours.

    pip install faery==0.7.1 expelliarmus==1.1.12 evlib==0.13.2 evt3==0.4.1 aedat==2.3.0 dv-processing==2.0.4 h5py numpy numba …
    python tests/references/events_with_others.py

Rewrites `data/events_*`. faery (LGPL) and expelliarmus (GPL) are tools here, no dependencies: only what they wrote is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import evlib
import evt3
import expelliarmus
import faery
import h5py
import numpy as np

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from neuroloop.sensors.files import write_events  # noqa: E402
from neuroloop.types import EVENT  # noqa: E402

DATA = Path(__file__).parent / "data"
WIDTH, HEIGHT, N = 346, 260, 600


def recording() -> Any:
    """Ties, corners, rows of neighbours, and gaps: for EVT3 over several rounds of its clock."""
    rng = np.random.default_rng(2026)
    events = np.zeros(N, EVENT)
    events["t_us"] = 5000 + np.cumsum(rng.integers(0, 4, N))
    events["x"], events["y"] = rng.integers(0, WIDTH, N), rng.integers(0, HEIGHT, N)
    events["p"] = rng.integers(0, 2, N)
    events[100:140] = [(int(events["t_us"][100]), 40 + k, 17, 1) for k in range(40)]
    events["t_us"][141:] += 40_000_000
    events["t_us"][400:] += 3 * 3_600_000_000
    events[[0, -1]] = [(int(events["t_us"][0]), 0, 0, 0), (int(events["t_us"][-1]), WIDTH - 1, HEIGHT - 1, 1)]
    assert (np.diff(events["t_us"]) >= 0).all()
    return events


def theirs(events: Any) -> Any:
    """As faery has them."""
    records = np.zeros(events.size, faery.EVENTS_DTYPE)
    for name, ours in (("t", "t_us"), ("x", "x"), ("y", "y"), ("on", "p")):
        records[name] = events[ours]
    return records


def make(events: Any) -> None:
    """Files by others."""
    for name, options in {
        "evt2.raw": {"version": "evt2", "zero_t0": False}, "evt3.raw": {"version": "evt3", "zero_t0": False},
        "t0.raw": {"version": "evt3"}, "lz4.aedat4": {},
    }.items():  # fmt: skip
        stream = faery.events_stream_from_array(theirs(events), (WIDTH, HEIGHT))
        stream.to_file(DATA / f"events_faery_{name}", **options)
    np.save(DATA / "events.npy", events)
    with h5py.File(DATA / "events_dsec.h5", "w") as file:  # the layout of DSEC, by h5py alone
        for name, values in (("t", events["t_us"] - 1000), ("x", events["x"]), ("y", events["y"]), ("p", events["p"])):
            file[f"events/{name}"] = values.astype("<i8" if name == "t" else "<u2" if name != "p" else "u1")
        file["t_offset"] = np.int64(1000)
    for encoding in ("evt2", "evt3"):  # what was checked below; our tests write it again, byte for byte
        write_events(DATA / f"events_ours_{encoding}.raw", events, WIDTH, HEIGHT, encoding=encoding)


def same(name: str, events: Any, t: Any, x: Any, y: Any, p: Any) -> None:
    """Compare."""
    for column, values in zip(("t_us", "x", "y", "p"), (t, x, y, p), strict=True):
        assert np.array_equal(np.asarray(values).astype(np.int64), events[column].astype(np.int64)), (name, column)
    print(f"{name}: {events.size} events, all as written")


def check(events: Any, folder: Path) -> None:
    """Others read ours."""
    for encoding in ("evt2", "evt3"):
        path = DATA / f"events_ours_{encoding}.raw"
        a = faery.events_stream_from_file(path).to_array()
        same(f"faery {encoding}", events, a["t"], a["x"], a["y"], a["on"])
        frame = evlib.load_events(str(path)).collect()
        p = frame["polarity"].to_numpy() > 0
        same(
            f"evlib {encoding}",
            events,
            frame["t"].to_physical().to_numpy(),
            frame["x"].to_numpy(),
            frame["y"].to_numpy(),
            p,
        )
    b = evt3.decode_file(str(DATA / "events_ours_evt3.raw"))
    same("evt3 evt3", events, b.t, b.x, b.y, b.p)
    first = events[:400]  # expelliarmus loses the round of EVT2's clock, and delays EVT3's
    write_events(folder / "first.raw", first, WIDTH, HEIGHT, encoding="evt2")
    c = expelliarmus.Wizard(encoding="evt2").read(folder / "first.raw")
    same("expelliarmus evt2", first, c["t"], c["x"], c["y"], c["p"])
    write_events(folder / "ours.aedat4", events, WIDTH, HEIGHT)
    d = faery.events_stream_from_file(folder / "ours.aedat4").to_array()
    same("faery aedat4", events, d["t"], d["x"], d["y"], d["on"])


if __name__ == "__main__":
    import tempfile

    make(recording())
    with tempfile.TemporaryDirectory() as folder:
        check(recording(), Path(folder))
