"""What every experiment is given: parameters in SI units and input arrays, the same for Brian2, NEST and NumPy.

Steps are int32; dt is written in microseconds in the names of arrays. See README.md for the conventions.
"""

import json
from pathlib import Path

import numpy as np

DATA = Path(__file__).parent / "data"
LIF = {"tau_mem": 0.02, "v_rest": 0.0, "v_th": 1.0, "v_reset": 0.0, "t_ref": 0.002}


def save(name, parameters, **arrays):
    """Write data/NAME.npz; arrays of integers become int32, unless they are smaller."""
    arrays = {key: np.asarray(value) for key, value in arrays.items()}
    small = {key: value.astype(np.int32) if value.dtype == np.int64 else value for key, value in arrays.items()}
    DATA.mkdir(exist_ok=True)
    np.savez_compressed(DATA / f"{name}.npz", parameters=np.array(json.dumps(parameters)), **small)
    print(name, (DATA / f"{name}.npz").stat().st_size)


def spike_table(steps, index):
    """Rows (step, index), by step and then by index."""
    steps, index = np.asarray(steps, np.int32), np.asarray(index, np.int32)
    return np.stack([steps, index], 1)[np.lexsort((index, steps))]


def _distinct(rng, low, high, size):
    return np.sort(rng.choice(np.arange(low, high), size, replace=False)).astype(np.int32)


def lif_current():
    """Cases 0-2 are the constant `drives`, case 3 the staircase, a level for each 10 ms."""
    rng = np.random.default_rng(1)
    staircase = 1.2 + 0.8 * np.sin(2 * np.pi * 3 * 0.01 * np.arange(100)) + 0.4 * rng.standard_normal(100)
    return LIF | {"duration": 1.0, "hold": 0.01, "drives": [1.05, 1.5, 3.0]}, {"staircase": staircase}


def psc():
    """Inputs by arrival step. `sub` are 300 steps, `supra` one second."""
    rng = np.random.default_rng(2)
    arrays = {"input_steps_sub": _distinct(rng, 1, 290, 40), "weights_sub": rng.uniform(-0.1, 0.2, 40)}
    for us, n_steps in ((1000, 1000), (100, 10_000)):
        arrays[f"input_steps_supra_{us}us"] = _distinct(rng, 1, n_steps, 600)
    arrays["weights_supra"] = np.where(rng.random(600) < 0.2, -0.8, rng.uniform(0.5, 1.2, 600))
    return LIF | {"tau_syn": 0.005, "duration_supra": 1.0, "n_steps_sub": 300}, arrays


def conductance():
    """Positive weights go to the excitatory conductance, negative ones (their size) to the inhibitory one."""
    rng = np.random.default_rng(3)
    arrays = {"input_steps_sub": _distinct(rng, 1, 290, 40), "input_steps_supra": _distinct(rng, 1, 10_000, 800)}
    arrays["weights_sub"] = np.where(rng.random(40) < 0.2, -0.04, rng.uniform(0.01, 0.03, 40))
    arrays["weights_supra"] = np.where(rng.random(800) < 0.2, -0.2, rng.uniform(0.1, 0.25, 800))
    reversal = {"e_exc": 4.667, "e_inh": -1.0, "tau_exc": 0.005, "tau_inh": 0.01}
    return LIF | reversal | {"duration_supra": 1.0, "n_steps_sub": 300, "dt": 1e-4}, arrays


def izhikevich():
    """Rows are RS, FS, CH, IB; v in mV, u in mV/ms, currents in the model's units, a level of `random` for each 10 ms."""
    rng = np.random.default_rng(4)
    kinds = {"kinds": ["RS", "FS", "CH", "IB"], "a": [0.02, 0.1, 0.02, 0.02], "b": [0.2] * 4, "c": [-65, -65, -50, -55]}
    given = kinds | {"d": [8.0, 2.0, 2.0, 4.0], "v_th": 30.0, "v_start": -65.0, "u_start": -13.0, "current": 10.0}
    return given | {"duration": 1.0, "hold": 0.01}, {"random": rng.normal(8.0, 4.0, 100)}


def adex():
    """Brette and Gerstner (2005)."""
    cell = {"c_m": 281e-12, "g_l": 30e-9, "e_l": -70.6e-3, "v_t": -50.4e-3, "delta_t": 2e-3, "tau_w": 0.144, "a": 4e-9}
    rest = {"b": 80.5e-12, "v_reset": -70.6e-3, "v_peak": 20e-3, "t_ref": 0.0, "duration": 0.5}
    return cell | rest | {"currents": [0.5e-9, 0.8e-9, 1.0e-9]}, {}


def alif():
    """Cases are the two drives."""
    return LIF | {
        "tau_theta": 0.2,
        "theta_jump": 0.1,
        "tau_w": 0.2,
        "b": 0.2,
        "drives": [1.5, 3.0],
        "duration": 1.0,
    }, {}


def cuba():
    """The current-based benchmark of Brette et al. (2007), 400 neurons, the first 320 excitatory; voltages in V."""
    rng = np.random.default_rng(5)
    there = (rng.random((400, 400)) < 0.1) & ~np.eye(400, dtype=bool)
    pre, post = (x.astype(np.int16) for x in np.nonzero(there))
    cell = {
        "tau_mem": 0.02,
        "e_l": -0.049,
        "v_th": -0.05,
        "v_reset": -0.06,
        "t_ref": 0.005,
        "dt": 1e-4,
        "delay": 1.5e-3,
    }
    syn = {"tau_exc": 0.005, "tau_inh": 0.01, "w_exc": 1.62e-3, "w_inh": -9e-3, "n_exc": 320, "n": 400, "duration": 0.2}
    return cell | syn, {"pre": pre, "post": post, "v_start": rng.uniform(-0.06, -0.05, 400)}


def stdp():
    """Four synapses with a train on each side; no events meet, with a delay of 3 steps on either side or without."""
    rng = np.random.default_rng(6)
    pre, post = [], []
    for _ in range(4):
        mine = _distinct(rng, 5, 1990, 50)
        free = np.setdiff1d(np.arange(5, 1990), np.concatenate([mine - 3, mine, mine + 3]))
        pre.append(mine)
        post.append(np.sort(rng.choice(free, 50, replace=False)))
    index = np.repeat(np.arange(4), 50)
    pair = {"tau_plus": 16.8e-3, "tau_minus": 33.7e-3, "a_plus": 0.02, "a_minus": 0.011}
    names = ("a2_plus", "a3_plus", "a2_minus", "a3_minus", "tau_x", "tau_y")
    hippocampal = dict(zip(names, (6.1e-3, 6.7e-3, 1.6e-3, 1.4e-3, 0.946, 0.027), strict=True))
    visual = dict(zip(names, (5e-10, 6.2e-3, 7e-3, 2.3e-4, 0.101, 0.125), strict=True))
    triplets = {"triplet_hippocampal": hippocampal, "triplet_visual": visual}
    parameters = pair | triplets | {"w_start": [0.02, 0.35, 0.6, 0.98], "w_max": 1.0, "dt": 1e-3, "duration": 2.0}
    trains = {"pre": spike_table(np.concatenate(pre), index), "post": spike_table(np.concatenate(post), index)}
    return parameters | {"delay": 3e-3}, trains


def dopamine():
    """Two synapses; no events meet, and none falls on the last of every ten steps."""
    rng = np.random.default_rng(7)
    steps = rng.permutation([k for k in range(5, 4990) if k % 10 != 9])[:215]
    shared = {"tau_plus": 0.02, "tau_minus": 0.02, "a_plus": 0.1, "a_minus": 0.08, "tau_c": 1.0, "tau_n": 0.2}
    run = {"baselines": [0.0, 3.0], "w_start": 1.0, "dt": 1e-3, "duration": 5.0, "sample": 0.01}
    side = np.repeat([0, 1], 50)
    trains = {"pre": spike_table(steps[:100], side), "post": spike_table(steps[100:200], side)}
    return shared | run, trains | {"dopamine": np.sort(steps[200:]).astype(np.int32)}


def stp():
    """Two trains, (step, train): ten spikes at 20 Hz and one 500 ms later; and forty at random in 2 s."""
    rng = np.random.default_rng(8)
    regular, chance = np.append(np.arange(10, 510, 50), 960), _distinct(rng, 1, 2000, 40)
    table = spike_table(np.concatenate([regular, chance]), np.repeat([0, 1], [regular.size, chance.size]))
    names = ("u", "tau_rec", "tau_fac")
    sets = {"depressing": (0.5, 0.8, 0.0), "facilitating": (0.04, 0.1, 1.0), "mixed": (0.25, 0.3, 0.3)}
    sets = {key: dict(zip(names, value, strict=True)) for key, value in sets.items()}
    return sets | {"dt": 1e-3, "duration": 2.0}, {"pre": table}
