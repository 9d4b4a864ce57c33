"""Izhikevich (2003) cells in NEST, which by default advances v and u by forward Euler, both from their old values."""

import inputs
import nest
import numpy as np
from with_nest import spikes_of, start, trace, watch


def main():
    """The four kinds of cell; the current is set between stretches of 10 ms."""
    given, arrays = inputs.izhikevich()
    for us in (500, 100):
        found = {}
        for case in ("constant", "random"):
            start(us)
            cells = nest.Create(
                "izhikevich", 4, {"V_m": given["v_start"], "U_m": given["u_start"], "V_th": given["v_th"]}
            )
            for name in "abcd":
                setattr(cells, name, [float(x) for x in given[name]])
            meter, recorder = watch(cells, ["V_m", "U_m"], us), nest.Create("spike_recorder")
            nest.Connect(cells, recorder, syn_spec={"delay": us / 1000})
            with nest.RunManager():
                for level in np.full(100, given["current"]) if case == "constant" else arrays["random"]:
                    cells.I_e = level
                    nest.Run(1e3 * given["hold"])
            found[f"v_{case}"], found[f"u_{case}"] = trace(meter, "V_m", 4, 300), trace(meter, "U_m", 4, 300)
            steps, senders = spikes_of(recorder, us)
            found[f"spikes_{case}"] = inputs.spike_table(steps, senders - cells[0].global_id)
        inputs.save(f"izhikevich_{us}us_nest", given | {"dt": us / 1e6}, **arrays, **found)


if __name__ == "__main__":
    main()
