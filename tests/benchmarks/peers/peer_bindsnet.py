"""BindsNET: B1 and B2 closed loop with its own MSTDPET, which reads the reward and updates all weights each step."""

import importlib.util
import sys
from unittest.mock import MagicMock

import common
import numpy as np
import torch

if importlib.util.find_spec("torchvision") is None:  # only its data sets, which nothing here touches, need it
    names = ("torchvision", "torchvision.datasets", "torchvision.transforms", "torchvision.utils")
    sys.modules |= {name: MagicMock() for name in names}

from bindsnet.learning import MSTDPET
from bindsnet.network import Network
from bindsnet.network.monitors import Monitor
from bindsnet.network.nodes import Input, LIFNodes
from bindsnet.network.topology import Connection

torch.set_num_threads(1)
torch.set_grad_enabled(False)


def closed(name, repeats):
    spec = common.B1 if name == "b1" else common.B2
    net = Network(dt=1.0)
    layers = [Input(spec.sizes[0])]
    net.add_layer(layers[0], "0")
    lif = {"rest": 0.0, "reset": 0.0, "thresh": spec.v_th, "refrac": int(spec.t_ref), "tc_decay": spec.tau_mem}
    rule = {"tc_plus": spec.tau_trace, "tc_minus": spec.tau_trace, "tc_e_trace": spec.tau_elig}
    for k, w in enumerate(common.weights(spec)):
        layers.append(LIFNodes(spec.sizes[k + 1], **lif))
        net.add_layer(layers[-1], str(k + 1))
        bounds = {"wmin": 0.0, "wmax": spec.w_max[k], "w": torch.tensor(w, dtype=torch.float32)}
        nu = spec.nu * spec.tau_elig / spec.steps  # it divides the eligibility by tau, and learns in every step
        connection = Connection(*layers[-2:], update_rule=MSTDPET, nu=nu, **bounds, **rule)
        net.add_connection(connection, str(k), str(k + 1))
    monitor = Monitor(layers[-1], ["s"], time=spec.steps)
    net.add_monitor(monitor, "outputs")
    spikes, given, outputs = common.inputs(spec), common.rewards(), []

    def tick(k):
        net.run({"0": torch.from_numpy(spikes[k % len(spikes)])}, time=spec.steps, reward=float(given[k % len(given)]))
        outputs.append(monitor.get("s").sum(0).numpy())

    medians = common.tick_medians(tick, repeats)
    rate = np.mean(outputs) / spec.steps * 1000
    note = f"torch {torch.__version__}; weights learn in every step; outputs {rate:.0f} Hz"
    common.report(f"{name}_us", "us", medians, note)


if __name__ == "__main__":
    common.main({"b1": closed, "b2": closed})
