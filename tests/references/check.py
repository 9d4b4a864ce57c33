"""Compare every file in data/ with the NumPy models: `python tests/references/check.py`, which needs NumPy only.

Prints for each file the largest deviation of its traces, and of its spikes whether they are equal or where they part.
"""

import json

import inputs
import models
import numpy as np
from inputs import DATA

LIMIT = 1e-9  # of what traces may deviate by, and spikes are equal; but for these files, as README.md explains
EXCEPTIONS = {"adex_nest": 1e-4, "izhikevich_500us_brian2": 1e-8, "izhikevich_100us_brian2": 1e-8}


def arrivals(steps, weights, n_steps):
    """Weights by step."""
    found = np.zeros(n_steps)
    np.add.at(found, steps, weights)
    return found


def held(levels, given, dt):
    """Levels of 10 ms by step."""
    return np.repeat(levels, round(given["hold"] / dt))


def lif_current(given, data, name):
    for us in (1000, 100):
        levels = np.tile(given["drives"] + [0.0], (100, 1))
        levels[:, 3] = data["staircase"]
        drives = np.repeat(levels, round(given["hold"] * 1e6 / us), axis=0)
        v, spikes = models.lif(given, drives, us / 1e6)
        yield from ((f"v_{us}us", v), (f"spikes_{us}us", spikes))


def psc(given, data, name):
    for us in (1000, 100):
        for case, steps, n_steps in (
            ("sub", data["input_steps_sub"], given["n_steps_sub"]),
            ("supra", data[f"input_steps_supra_{us}us"], round(given["duration_supra"] * 1e6 / us)),
        ):
            for kind in ("exp", "alpha"):
                given_input = arrivals(steps, data[f"weights_{case}"], n_steps)
                found = models.psc(given, kind, given_input, us / 1e6)
                yield from zip((f"{x}_{case}_{kind}_{us}us" for x in ("v", "i", "spikes")), found, strict=True)


def conductance(given, data, name):
    for case, n_steps in (("sub", given["n_steps_sub"]), ("supra", round(given["duration_supra"] / given["dt"]))):
        weights = arrivals(data[f"input_steps_{case}"], data[f"weights_{case}"], n_steps)
        for kind in ("exp", "alpha"):
            fine = models.conductance(given, kind, weights, given["dt"], 2)
            yield from zip((f"{x}_{case}_{kind}" for x in ("v", "g_exc", "g_inh", "spikes")), fine, strict=True)
            if name.endswith("brian2"):
                v, _, _, spikes = models.conductance(given, kind, weights, given["dt"], 0)
                yield from ((f"v_{case}_{kind}_expeuler", v), (f"spikes_{case}_{kind}_expeuler", spikes))


def izhikevich(given, data, name):
    for case, levels in (("constant", np.full(100, given["current"])), ("random", data["random"])):
        found = models.izhikevich(given, held(levels, given, given["dt"]), given["dt"])
        yield from zip((f"{x}_{case}" for x in ("v", "u", "spikes")), found, strict=True)


def adex(given, data, name):
    runs = (("_euler", 1, "euler"), ("_fine", 10, "euler")) if name.endswith("brian2") else (("", 50, "rk4"),)
    for suffix, n_sub, method in runs:
        v, w, spikes = zip(*(models.adex(given, x, given["dt"], n_sub, method) for x in given["currents"]), strict=True)
        spikes = [(k if suffix == "_fine" else k // n_sub, i) for i, mine in enumerate(spikes) for k in mine]
        yield from (
            (f"v{suffix}", np.array(v)),
            (f"w{suffix}", np.array(w)),
            (f"spikes{suffix}", np.array(sorted(spikes))),
        )


def alif(given, data, name):
    for us in (1000, 100):
        for kind in ("theta", "current", "current_expeuler"):
            found = models.alif(given, kind, us / 1e6)
            state = "theta" if kind == "theta" else "w"
            yield from zip((f"{x}_{kind}_{us}us" for x in ("v", state, "spikes")), found, strict=True)


def cuba(given, data, name):
    with np.load(DATA / "cuba_inputs.npz") as there:
        yield from zip(("v", "spikes"), models.cuba(given, there["pre"], there["post"], there["v_start"]), strict=True)


def stdp(given, data, name):
    _, delay, simulator = name.split("_")
    late = {side: round(given["delay"] / given["dt"]) * (side == delay) for side in ("pre", "post")}
    events = np.array(sorted((k + late[s], i, int(s == "post")) for s in late for k, i in data[s].tolist()))
    if simulator == "brian2":
        yield "events", events
    for rule in ("additive", "multiplicative", "nearest", "triplet_hippocampal", "triplet_visual"):
        phantom = simulator == "nest" and rule == "nearest"  # NEST's first pairing is with a spike at time 0
        after = models.stdp(given, rule, events, spiked_before=phantom)
        yield rule, after if simulator == "brian2" else after[events[:, 2] == 0]


def dopamine(given, data, name):
    for case, baseline in enumerate(given["baselines"]):
        c, n, *weights = models.dopamine(given, data["pre"], data["post"], data["dopamine"], baseline)
        if name.endswith("nest"):
            yield f"w_{case}", weights[0]
        else:
            yield from zip((f"w_{x}_{case}" for x in ("exact", "begin", "end")), weights, strict=True)
    yield from (("c", c), ("n", n))


def stp(given, data, name):
    for kind in ("depressing", "facilitating", "mixed"):
        yield kind, models.stp(given[kind] | {"dt": given["dt"]}, data["pre"])


def apart(theirs, ours):
    """Which spikes differ first, by cell."""
    if theirs.ndim == 1:
        theirs, ours = np.c_[theirs, 0 * theirs], np.c_[ours, 0 * ours]
    for i in np.union1d(theirs[:, 1], ours[:, 1]):
        a, b = theirs[theirs[:, 1] == i, 0], ours[ours[:, 1] == i, 0]
        shared = min(len(a), len(b))
        where = np.flatnonzero(a[:shared] != b[:shared])
        if len(a) != len(b) or where.size:
            first = where[0] if where.size else shared
            then = f"then step {a[first : first + 1]} there, {b[first : first + 1]} here"
            yield f"cell {i}: {first} of {len(a)} spikes equal, {then}"


def main():
    """One line for each file; fails if a deviation is not one of those expected."""
    failed = []
    for path in sorted(DATA.glob("*.npz")):
        if path.stem == "cuba_inputs":
            continue
        experiment = "lif_current" if path.stem.startswith("lif") else path.stem.split("_")[0]
        with np.load(path) as file:
            data = dict(file)
        given = json.loads(str(data["parameters"]))
        worst, where, differences = 0.0, "", []
        unseen = data.keys() - getattr(inputs, experiment)()[1].keys() - {"parameters"}
        for key, ours in globals()[experiment](given, data, path.stem):
            if key not in data:
                continue
            theirs = data[key]
            unseen.remove(key)
            if key.startswith("spikes"):
                differences += [f"{key} {text}" for text in apart(theirs, ours)]
                continue
            assert theirs.shape == np.shape(ours), (path.stem, key, theirs.shape, np.shape(ours))
            deviation = np.abs(theirs - ours).max()
            worst, where = max((worst, where), (deviation, key))
        assert not unseen, (path.stem, unseen)
        spikes = "spikes equal" if "spikes" in str(list(data)) and not differences else ""
        print(f"{path.stem:28s} {worst:8.1e} {where:28s} {spikes}".rstrip(), *differences, sep="\n    ")
        if worst > EXCEPTIONS.get(path.stem, LIMIT) or (differences and path.stem not in EXCEPTIONS):
            failed.append(path.stem)
    if failed:
        raise SystemExit(f"not as expected: {failed}")


if __name__ == "__main__":
    main()
