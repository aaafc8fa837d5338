"""What there is: the built-in experiments and studies by name, and every component with one line."""

import difflib
import inspect
from collections.abc import Callable
from pathlib import Path

import equinox as eqx

from spikeloop import (
    decoders,
    encoders,
    environments,
    gallery,
    interaction,
    learners,
    networks,
    neurons,
    objectives,
    plasticity,
)
from spikeloop import policies as policies_module
from spikeloop.component import Component, components, one_line
from spikeloop.environments import Gymnax, MuJoCo
from spikeloop.errors import InvalidInput
from spikeloop.experiment import Experiment
from spikeloop.papers import (
    aenugu2020,
    bhargava2022,
    bing2019,
    chevtchenko2021,
    hasegan2022,
    labady2023,
    zhang2022,
    zheng2026,
)
from spikeloop.run import Run
from spikeloop.study import AbstractStudy

COMPONENTS = {
    "encoders": encoders,
    "neurons": neurons,
    "networks": networks,
    "decoders": decoders,
    "policies": policies_module,
    "plasticity": plasticity,
    "interaction": interaction,
    "objectives": objectives,
    "learners": learners,
    "synapses": learners.synapses,
    "strategies": learners.strategies,
    "agents": learners.agents,
    "critics": learners.critics,
    "imitation": learners.imitation,
}


class Entry(eqx.Module):
    """A built-in experiment or study: what makes it, and the figures drawn from a run beside the learning curve."""

    make: Callable[[], Experiment | AbstractStudy]
    report: Callable[[Run], list[Path]] | None = None

    @property
    def line(self) -> str:
        """One line that says what it is."""
        return (inspect.getdoc(self.make) or "").split("\n")[0].rstrip(".")


ENTRIES = {
    "cartpole": Entry(gallery.cartpole),
    "cartpole-ablation": Entry(gallery.cartpole_ablation),
    "cartpole-tuning": Entry(gallery.cartpole_tuning),
    "acrobot": Entry(gallery.acrobot),
    "mountain-car": Entry(gallery.mountain_car),
    "synapses/cartpole": Entry(gallery.synapses_cartpole, gallery.report_weights),
    "synapses/acrobot": Entry(gallery.synapses_acrobot),
    "synapses/mountain-car": Entry(gallery.synapses_mountain_car),
    "synapses/ledger": Entry(gallery.synapses_ledger, gallery.report_ledger),
    "synapses/table": Entry(gallery.synapses_table, gallery.report_table),
    "evolution/cartpole": Entry(gallery.evolution_cartpole, gallery.report_evolution),
    "evolution/mountain-car": Entry(gallery.evolution_mountain_car, gallery.report_evolution),
    "evolution/acrobot": Entry(gallery.evolution_acrobot, gallery.report_evolution),
    "evolution/pendulum": Entry(gallery.evolution_pendulum, gallery.report_evolution),
    "local/cartpole": Entry(gallery.local_cartpole),
    "local/mountain-car": Entry(gallery.local_mountain_car),
    "local/acrobot": Entry(gallery.local_acrobot),
    "local/ledger": Entry(gallery.local_ledger),
    "bhargava2022/linear": Entry(bhargava2022.LinearToy),
    "bing2019/vehicle": Entry(bing2019.vehicle, bing2019.report_vehicle),
    "chevtchenko2021/maze": Entry(chevtchenko2021.maze, chevtchenko2021.report_maze),
    "chevtchenko2021/ablations": Entry(chevtchenko2021.ablations, chevtchenko2021.report_maze),
    "labady2023/dc-drive": Entry(labady2023.DirectCurrentDrive),
    "labady2023/stdp": Entry(labady2023.PlasticityModes),
    "zheng2026/figure-2": Entry(zheng2026.figure_2, zheng2026.report_figure_2),
    "zheng2026/figure-3": Entry(zheng2026.figure_3, zheng2026.report_figure_3),
    "zheng2026/figure-4": Entry(zheng2026.figure_4, zheng2026.report_table_2),
    "zheng2026/figure-5": Entry(zheng2026.figure_5, zheng2026.report_table_2),
    "zheng2026/figure-6": Entry(zheng2026.figure_6, zheng2026.report_table_2),
    "zheng2026/figure-7": Entry(zheng2026.figure_7, zheng2026.report_table_2),
    "zheng2026/figure-8": Entry(zheng2026.figure_8, zheng2026.report_table_2),
    "zheng2026/table-2": Entry(zheng2026.table_2, zheng2026.report_table_2),
    "zheng2026/readings": Entry(zheng2026.readings, zheng2026.report_readings),
    "zheng2026/figure-9": Entry(zheng2026.figure_9, zheng2026.draw_figure_9),
    "zheng2026/ticks": Entry(zheng2026.ticks, zheng2026.draw_ticks),
    "labady2023/mountain-car": Entry(labady2023.mountain_car, labady2023.report_mountain_car),
    "labady2023/mountain-car-109": Entry(labady2023.mountain_car_109, labady2023.report_mountain_car),
    "labady2023/optimisers": Entry(labady2023.optimisers, labady2023.report_mountain_car),
    "labady2023/heatmaps": Entry(labady2023.heatmaps, labady2023.report_heatmaps),
    "labady2023/recording": Entry(labady2023.recording, labady2023.report_recording),
    "hasegan2022/evol": Entry(hasegan2022.evol),
    "hasegan2022/stdp-rl": Entry(hasegan2022.stdp_rl),
    **{f"aenugu2020/{name}": Entry(make, aenugu2020.report) for name, make in aenugu2020.experiments().items()},
    "hasegan2022/rounds": Entry(hasegan2022.rounds),
    "zhang2022/dynamics": Entry(zhang2022.NeuronDynamics),
    "zhang2022/prelearn": Entry(zhang2022.prelearn, zhang2022.report_prelearn),
    "zhang2022/pendulum": Entry(zhang2022.pendulum),
    "zhang2022/codings": Entry(zhang2022.codings, zhang2022.report_codings),
    "zhang2022/codings-pendulum": Entry(zhang2022.codings_pendulum, zhang2022.report_codings),
    **{f"zhang2022/{name}": Entry(make) for name, make in zhang2022.mujoco_experiments().items()},
}


def entry(name: str) -> Entry:
    """A built-in experiment or study. Raises InvalidInput for another name."""
    if name not in ENTRIES:
        close = difflib.get_close_matches(name, ENTRIES, n=1, cutoff=0.4)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise InvalidInput(
            f"there is no experiment {name!r}; {hint}`spikeloop list experiments` names them, and a FILE.py may hold one"
        )
    return ENTRIES[name]


def built_in(name: str) -> Experiment:
    """The built-in experiment of that name, to be changed with ``with_fields`` or run as it is.

    Raises InvalidInput for a study: in Python it is made from its class.
    """
    made = entry(name).make()
    if isinstance(made, AbstractStudy):
        raise InvalidInput(
            f"{name!r} is a study; make it from its class, {type(made).__module__}.{type(made).__name__}"
        )
    return made


def lists() -> dict[str, list[tuple[str, str]]]:
    """Every kind of thing that there is, as names with one line each."""
    found = {
        "experiments": [(name, item.line) for name, item in ENTRIES.items()],
        "environments": [
            *((f"Gymnax {name!r}", "pure JAX, on any device") for name in Gymnax.names()),
            *((f"MuJoCo {name!r}", "Gymnasium's own, on the host; needs spikeloop[mujoco]") for name in MuJoCo.names()),
            ("Gymnasium NAME", one_line(environments.Gymnasium)),
            ("ImageMaze", one_line(environments.ImageMaze)),
            ("TargetVehicle", one_line(environments.TargetVehicle)),
        ],
    }
    final = set(components().values())
    for kind, module in COMPONENTS.items():
        classes = [getattr(module, name) for name in module.__all__]
        found[kind] = [
            (cls.__name__, one_line(cls))
            for cls in classes
            if inspect.isclass(cls) and issubclass(cls, Component) and cls in final
        ]
    return found
