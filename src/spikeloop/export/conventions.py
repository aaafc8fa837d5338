"""Conventions: what the numbers of a graph mean to the simulator that will read it.

A NIR graph is a set of differential equations; what spikes come of it is settled only by how a simulator steps them. Ours are
maps from tick to tick already, so the numbers of the graph are chosen such that a simulator's step *is* our map. With lost =
1 - (what is left of the potential after a tick) and gain the factor of the input:

    forward Euler    v <- v + dt/tau (v_leak - v + r I)             tau = dt / lost               r = gain / lost
    exact            v <- v e^(-dt/tau) + (1 - e^(-dt/tau)) r I     tau = -dt / log(1 - lost)     r = gain / lost

NIR fires where v > v_threshold. A neuron that fires at the threshold itself gets the next float32 below it, which is the same
thing: there is no float32 between. `spikingjelly` fires at the threshold, so there it is the other neurons that are moved.
"""

import dataclasses

import equinox as eqx

from spikeloop.errors import InvalidInput


class Convention(eqx.Module):
    """How a simulator reads a graph, as far as it decides when spikes fall."""

    name: str  # by which the command line knows it
    reader: str  # what it is for, in one line
    dt: float = 1e-4  # length of a tick, s
    exact: bool = False  # whether its step is the exact solution; else forward Euler
    fires_at_threshold: bool = False  # whether a neuron fires at v = v_threshold
    resistance: float | None = None  # the only value of r that it honours; the rest goes into the weights
    unit_gain: bool = False  # whether it wants dt r / tau = 1; the rest goes into the weights
    leaky_only: bool = False  # whether an IF must be written as an LIF with a leak below rounding
    reset_to_zero: bool = False  # whether it takes no notice of v_reset
    readout: bool = True  # whether it can read LI and I; else the readout goes into the sidecar
    fixed_dt: bool = False  # whether it takes no other dt


CONVENTIONS = {
    convention.name: convention
    for convention in (
        Convention("nir", "NIR's own definition, stepped by forward Euler"),
        Convention("exact", "NIR's own definition, stepped by its exact solution", exact=True),
        Convention(
            "snntorch",
            "snntorch.import_nir",
            unit_gain=True,
            leaky_only=True,
            reset_to_zero=True,
            readout=False,
            fixed_dt=True,
        ),
        Convention("norse", "norse.torch.from_nir", dt=1e-3, resistance=1.0, reset_to_zero=True, readout=False),
        Convention("spikingjelly", "spikingjelly's import_from_nir", fires_at_threshold=True, readout=False),
    )
}


def convention(name: str = "nir", dt: float | None = None) -> Convention:
    """The convention of that name, with another length of a tick (s) if one is given. Raises InvalidInput."""
    if name not in CONVENTIONS:
        raise InvalidInput(f"there is no convention {name!r}; there are {', '.join(CONVENTIONS)}")
    found = CONVENTIONS[name]
    if dt is None or dt == found.dt:
        return found
    if not 0.0 < dt < float("inf"):
        raise InvalidInput(f"dt must be a positive finite number of seconds, got {dt}")
    if found.fixed_dt:
        raise InvalidInput(f"{found.reader} takes dt to be {found.dt:g} s, whatever the graph says; leave it out")
    return dataclasses.replace(found, dt=dt)
