"""Pooled events go through a convolution of the engine: ON and OFF centres see where and how a spot changed."""

from __future__ import annotations

import numpy as np

import neuroloop as nl
from neuroloop.sensors.space import EventSpace

from .conftest import CLOCK, bound, events_of, pairs


def centre_surround(size=3):
    """Receptive fields of a bin and its neighbours: ON centre and OFF centre, each against its surround."""
    field = np.full((size, size), -1.0 / (size * size - 1))
    field[size // 2, size // 2] = 1.0
    return np.array([[-field, field], [field, -field]])  # filters ON and OFF centre × channels OFF and ON


def test_receptive_fields_see_where_and_how_a_spot_changed():
    encoder, n = bound(EventSpace(40, 40), cell=(4, 4))
    (shape,) = encoder.shapes
    assert shape == (2, 10, 10)
    fields = nl.Convolution(shape=shape, kernel=centre_surround(), padding=1)
    net = nl.Network(dt=CLOCK.dt, n_steps=CLOCK.n_steps)
    retina = net.input(n)
    cells = net.population(nl.LIF(tau_mem=0.01), int(np.prod(fields.output_shape)))
    net.connect(retina, cells, 1.5, layout=fields, synapse=nl.Delta())
    spot = [(t, 20 + dx, 12 + dy, 1) for t in (2500, 7500) for dx in range(4) for dy in range(4)]
    field = [(12_500, x, y, 0) for x in range(40) for y in range(40)]  # the whole picture darkens: no contrast
    encoder.encode(events_of(), 0)
    out = net.run(encoder.encode(events_of(*spot, *field), 1))
    where = {tuple(int(k) for k in np.unravel_index(i, fields.output_shape)) for _, i in pairs(out)}
    inner = {(f, y, x) for f, y, x in where if 0 < y < 9 and 0 < x < 9}
    assert (0, 3, 5) in inner  # the ON centre at row 12 // 4, column 20 // 4
    assert inner - {(0, 3, 5)} == set()  # an OFF centre beside it gets 1 / 8 of it, an even change cancels
