"""Adaptive exponential cells (Brette and Gerstner 2005): NEST aeif_psc_exp, adaptive Runge-Kutta-Fehlberg within 0.1 ms."""

import inputs
import nest
from with_nest import spikes_of, start, trace, watch

NAMES = {
    "c_m": ("C_m", 1e12), "g_l": ("g_L", 1e9), "e_l": ("E_L", 1e3), "v_t": ("V_th", 1e3), "delta_t": ("Delta_T", 1e3),
    "tau_w": ("tau_w", 1e3), "a": ("a", 1e9), "b": ("b", 1e12), "v_reset": ("V_reset", 1e3), "v_peak": ("V_peak", 1e3),
    "t_ref": ("t_ref", 1e3),
}  # fmt: skip


def main():
    """Three constant currents from the first step on; the tolerance is 1e-9."""
    given, _ = inputs.adex()
    us = 100
    start(us)
    settings = {theirs: given[ours] * scale for ours, (theirs, scale) in NAMES.items()}
    cells = nest.Create("aeif_psc_exp", 3, settings | {"V_m": 1e3 * given["e_l"], "gsl_error_tol": 1e-9})
    cells.I_e = [1e12 * current for current in given["currents"]]
    meter, recorder = watch(cells, ["V_m", "w"], us), nest.Create("spike_recorder")
    nest.Connect(cells, recorder, syn_spec={"delay": us / 1000})
    nest.Simulate(1e3 * given["duration"] + 2 * us / 1000)
    steps, senders = spikes_of(recorder, us)
    during = steps < round(given["duration"] * 1e6 / us)
    spikes = inputs.spike_table(steps[during], senders[during] - cells[0].global_id)
    v, w = trace(meter, "V_m", 3, 300) * 1e-3, trace(meter, "w", 3, 300) * 1e-12
    inputs.save("adex_nest", given | {"dt": us / 1e6}, v=v, w=w, spikes=spikes)


if __name__ == "__main__":
    main()
