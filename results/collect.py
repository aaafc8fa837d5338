"""Keeps what a run found, and writes the page of all results from it, so that no number is ever typed in.

python results/collect.py keep RUN NAME     copy the small files of a run directory to results/NAME
python results/collect.py table-1           results/zhang2022-table-1 from what is kept of its runs, results/zhang2022-TASK-ACTOR*
python results/collect.py page              write results/README.md from the JSON files under results/
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from notes import NOTES

HERE = Path(__file__).parent
KEPT = (
    "run.json", "provenance.json", "summary.json", "table.json", "uncapped.json", "values.json", "values.txt", "tuning.json",
)  # fmt: skip


def keep(run: Path, name: str) -> None:
    """Copy the small files of a run: what was asked, where it ran, what came out, and the figures."""
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    for file in [*(run / kept for kept in KEPT), *run.glob("*.png")]:
        if file.exists():
            shutil.copyfile(file, folder / file.name)


def table_1() -> None:
    """The table of spiking over deep actors, and the curves of each task, from all its runs that are kept."""
    import numpy as np

    from spikeloop.analysis.figures import learning_curves
    from spikeloop.analysis.statistics import Curve
    from spikeloop.papers.zhang2022 import table_1
    from spikeloop.papers.zhang2022.table_1 import of_task
    from spikeloop.provenance import provenance

    folders = sorted(path.parent for path in HERE.glob("zhang2022-*-*/summary.json") if of_task(path.parent))
    out = HERE / "zhang2022-table-1"
    out.mkdir(exist_ok=True)
    made = table_1(folders)
    for task, actors in made["tasks"].items():
        curves = [
            Curve(actor, np.asarray(row["curve"]["env_steps"]), np.asarray(row["curve"]["scores"]))
            for actor, row in actors.items()
        ]
        (out / f"{task}.png").write_bytes(learning_curves(curves, f"zhang2022/{task}: evaluations of all seeds"))
    _write(out / "table.json", made)
    _write(out / "provenance.json", {**provenance(), "from": [folder.name for folder in folders]})


def page() -> str:
    """The page of all results, as Markdown."""
    parts = [
        "# Results\n",
        "Written by `results/collect.py` from the JSON files in these folders; each folder holds the experiment (`run.json`),",
        "the command, commit, versions and hardware (`provenance.json`), and the scores of every seed (`summary.json`).",
        "IQM is the interquartile mean over seeds; intervals are 95 % stratified bootstrap. Wall seconds: what a run took, often",
        "while others shared the two cores; speed is measured by itself, at the end.\n",
    ]
    for folder in sorted({path.parent for name in ("summary", "table") for path in HERE.glob(f"*/{name}.json")}):
        provenance = _read(folder / "provenance.json")
        parts += [f"## {folder.name}\n", NOTES.get(folder.name, ""), "", f"`{provenance['command']}`  "]
        parts += [_origin(provenance), ""]
        if (folder / "table.json").exists():
            table = _read(folder / "table.json")
            parts += [f"{table['title']}\n\n{table['markdown']}" if "markdown" in table else _frames_table(table), ""]
        else:
            parts += [_score_table(_read(folder / "summary.json")["arms"]), ""]
        if (folder / "values.txt").exists():
            parts += [f"```text\n{(folder / 'values.txt').read_text(encoding='utf-8')}```", ""]
        if (folder / "tuning.json").exists():
            parts += [_uncapped_table(_read(folder / "tuning.json")), ""]
        if (folder / "uncapped.json").exists():
            parts += [_uncapped_table(_read(folder / "uncapped.json")), ""]
        parts += [f"![{image.stem}]({folder.name}/{image.name})\n" for image in sorted(folder.glob("*.png"))]
    sections = {
        "bench": _benchmarks, "synapses": _synapses, "nest": _nest, "populations": _populations, "mujoco": _mujoco, "td3": _td3,
        "local": _local, "seeds-gpu": _seeds, "replay": _replay,
    }  # fmt: skip
    for name, section in sections.items():
        if (HERE / "benchmarks" / f"{name}.json").exists():
            parts += section(_read(HERE / "benchmarks" / f"{name}.json"))
    return "\n".join(parts)


def _local(found: dict[str, Any]) -> list[str]:
    """The section on local learning beside SpikingJelly's."""
    training = found["training"]
    rows = [
        "| synapses | spikeloop, one network | spikeloop, 20 networks | SpikingJelly, one network | times, one | times, 20 |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for size in found["sizes"]:
        one, many, theirs = (
            size[f"{name}_ticks_per_second"] for name in ("ours_one_network", "ours_20_networks", "peer")
        )
        numbers = f"{one:,} | {many:,} | {theirs:,} | " + " | ".join(
            "{} ({} to {})".format(size[f"times_{name}"], *size[f"times_{name}_range"])
            for name in ("one_network", "20_networks")
        )
        rows.append(f"| {size['synapses']:,} | {numbers} |")
    return [
        "## Speed of local learning\n",
        "Reward-modulated STDP with eligibility, ticks a second, beside SpikingJelly's MSTDPETLearner: `make bench-local`.",
        f"{training['seeds']} seeds of `local/cartpole` took {training['seconds']} s for {training['env_steps']:,} steps each.\n",
        _origin(found["provenance"]),
        "",
        *rows,
        "",
        *(
            f"Seconds by number of {name}: {', '.join(f'{int(n):,}: {t:g}' for n, t in grown['seconds'].items())}; "
            f"they grow with the power {grown['power']}.\n"
            for name, grown in found.get("growth", {}).items()
        ),
    ]


def _seeds(found: dict[str, Any]) -> list[str]:
    """The section on how seeds scale on a GPU."""
    rows = [
        "| seeds | seconds for 1000 steps of each | environment steps/s | times as long as one |",
        "|--:|--:|--:|--:|",
    ]
    rows += [
        f"| {row['seeds']} | {row['seconds_for_1000_steps']:.3f} | {row['env_steps_per_second']:,} | {row['times_the_first']:.2f} |"
        for row in found["measured"]
    ]
    what = "TD3 with MDC-SAN's spiking actor on Pendulum-v1, whole iterations of training: `make bench-seeds`  \n"
    return ["## Speed of many seeds on one GPU\n", f"{what}{_origin(found['provenance'])}\n", "\n".join(rows) + "\n"]


def _replay(found: dict[str, Any]) -> list[str]:
    """The section on exported policies in other simulators."""
    from spikeloop.analysis.tables import markdown

    what = (
        "The same CartPole-v1 episodes, from the same seeds, played by our policy, its NumPy player and three simulators that read "
        "the exported NIR graph: `make bench-replay`. A soft reset, which NIR cannot express, was exported as a reset to 0.  \n"
    )
    table = markdown(found["table"][0], found["table"][1:])
    return ["## Exported policies in other simulators\n", f"{what}{_origin(found['provenance'])}\n", table + "\n"]


def _score_table(arms: dict[str, Any]) -> str:
    rows = ["| learner | IQM return | 95 % interval | median | seeds | env steps | wall s | spikes/decision |"]
    rows.append("|---|--:|--:|--:|--:|--:|--:|--:|")
    for name, arm in arms.items():
        low, high = arm["interval_95"]
        spikes = f"{arm['spikes_per_decision']:.1f}" if arm["firing_rates"] else "-"
        rows.append(
            f"| {name} | {arm['iqm']:.1f} | {low:.1f} to {high:.1f} | {arm['median']:.1f} | {len(arm['scores'])} "
            f"| {arm['env_steps']:,.0f} | {arm['wall_seconds']:.0f} | {spikes} |"
        )
    return "\n".join(rows)


def _frames_table(table: dict[str, Any]) -> str:
    rows = ["| learner | last 50 episodes, mean | all episodes, mean | best episode |", "|---|--:|--:|--:|"]
    for name, arm in table["arms"].items():
        cells = []
        for column in ("mean_last_50", "mean_all", "best_episode"):
            low, middle, high = arm[column]
            cells.append(f"{middle:g} ({low:g} to {high:g})")
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "Median (quartiles) over seeds.\n\n" + "\n".join(rows)


def _uncapped_table(found: dict[str, Any]) -> str:
    rows = [
        "| learner | IQM frames | 95 % interval | median | episodes that reached the cap |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, arm in found["arms"].items():
        low, high = arm["interval_95"]
        rows.append(
            f"| {name} | {arm['iqm']:,.0f} | {low:,.0f} to {high:,.0f} | {arm['median']:,.0f} | {arm['at_limit']:.0%} |"
        )
    head = f"The same final policies without the time limit, cap {found['max_steps']:,} frames, "
    return f"{head}{found['episodes']} fresh episodes per seed: `{found['provenance']['command']}`\n\n" + "\n".join(
        rows
    )


def _benchmarks(found: dict[str, Any]) -> list[str]:
    peer, limit, start = found["peer"], found["limit"], found["start_up"]
    rows = ["| what | ours | beside it | ratio |", "|---|--:|--:|--:|"]
    ours, theirs = (_median(peer[f"{name}_env_steps_per_second"]) for name in ("spikeloop", "spikingjelly"))
    rows.append(
        f"| environment steps/s, {peer['setting']} | {ours:,.0f} | SpikingJelly ({peer['spikingjelly_fastest_form']}) "
        f"{theirs:,.1f} | {peer['ratio_median']:.0f} |"
    )
    example = max(value for form, value in peer["spikingjelly_forms"].items() if form.startswith("single"))
    rows.append(
        f"| the same | {ours:,.0f} | SpikingJelly, single-step as in its own example {example:,.1f} "
        f"| {peer['ratio_to_the_example_form']:.0f} |"
    )
    bound = limit["limit_env_steps_per_second"]
    rows.append(f"| the same against the arithmetic limit | {ours:,.0f} | {bound:,.0f} | {ours / bound:.2f} |")
    for name in ("cold", "warm"):
        seconds = start[f"first_progress_line_{name}_seconds"]
        rows.append(f"| seconds to the first progress line, {name} cache | {seconds:.1f} | | |")
    rows.append(f"| seconds of the demo after install | {start['demo_seconds_after_install']:.0f} | | |")
    rows.append(f"| peak memory of the demo, MiB | {start['demo_peak_memory_mib']:.0f} | | |")
    scaling = ["", "| axis | environment steps/s, all seeds together |", "|---|---|"]
    for axis, values in found["scaling_env_steps_per_second"].items():
        scaling.append(f"| {axis} | {', '.join(f'{key}: {value:,.0f}' for key, value in values.items())} |")
    return [
        "## Speed\n",
        f"`make bench`  \n{_origin(found['provenance'])}\n",
        "\n".join(rows + scaling),
        "\n![scaling](benchmarks/scaling.png)\n",
    ]


def _synapses(found: dict[str, Any]) -> list[str]:
    counts = list(next(iter(found["microseconds"].values())))
    rows = [f"| microseconds, by synapses | {' | '.join(f'{int(n):,}' for n in counts)} | grows with the power |"]
    rows.append("|---" + "|--:" * (len(counts) + 1) + "|")
    for name, cost in found["microseconds"].items():
        rows.append(f"| {name} | {' | '.join(f'{cost[n]:,.1f}' for n in counts)} | {found['growth'][name]} |")
    return [
        "## Speed of synapse agents\n",
        f"`make bench-synapses`  \n{_origin(found['provenance'])}\n",
        f"The whole grid of `zheng2026/table-2` with its nulls and figures, nothing compiled before: "
        f"{found['table_2_grid_wall_seconds']:.0f} s.\n",
        "\n".join(rows),
        "\n![synapses](benchmarks/synapses.png)\n",
    ]


def _nest(found: dict[str, Any]) -> list[str]:
    peer, limit, evolution = found["peer"], found["limit"], found["evolution"]
    speeds = {name: _median(values) for name, values in peer["windows_per_second"].items()}
    rows = ["| NEST 3.10 as | its windows/s | ours | ratio, median | lowest |", "|---|--:|--:|--:|--:|"]
    for name, ratio in peer["ratio_median"].items():
        lowest = peer["ratio_lowest"][name]
        rows.append(f"| {name} | {speeds[name]:,.0f} | {speeds['spikeloop']:,.0f} | {ratio:.0f} | {lowest:.0f} |")
    bound = limit["limit_windows_per_second"]
    parts = ["| part of a window of 32 individuals, one device | microseconds |", "|---|--:|"]
    parts += [
        f"| {name} | {value:.0f} |" for name, value in found["microseconds_of_a_window_of_32_on_one_device"].items()
    ]
    return [
        "## Speed of evolving NEST's neurons\n",
        f"`make bench-nest`  \n{_origin(found['provenance'])}\n",
        f"{peer['setting']}; ours in one process with {peer['devices']} CPU devices.\n",
        "\n".join(rows),
        f"\nThe arithmetic limit (operations over the rate of a large matrix product) is {bound:,} windows/s, "
        f"{bound / speeds['spikeloop']:.0f} times ours; the rest goes into potentials, which must be stepped tick by tick over "
        "small arrays:\n",
        "\n".join(parts),
        f"\n400 generations of 32 on Mountain Car with 109 steps: {evolution['seconds_400_generations']:.0f} s.\n",
    ]


def _populations(found: dict[str, Any]) -> list[str]:
    rows = [
        "| individuals | devices | generations/s | environment steps/s | peak memory, MiB |",
        "|--:|--:|--:|--:|--:|",
    ]
    rows += [
        f"| {row['population']} | {row['devices']} | {row['generations_per_second']:g} | {row['env_steps_per_second']:,} "
        f"| {row['peak_mebibytes']} |"
        for row in found["measured"]
    ]
    origin = f"`make bench-populations`  \n{_origin(found['provenance'])}\n"
    return ["## Speed of populations\n", origin, "\n".join(rows) + "\n"]


def _mujoco(found: dict[str, Any]) -> list[str]:
    rows = ["| task | states side by side | Gymnasium, microseconds a step | ours | ratio |", "|---|--:|--:|--:|--:|"]
    rows += [
        f"| {row['task']} | {row['batch']} | {row['gymnasium_us']:g} | {row['spikeloop_us']:g} | {row['ratio']:.2f} |"
        for row in found["measured"]
    ]
    origin = f"`make bench-mujoco`  \n{_origin(found['provenance'])}\n"
    return ["## Speed of MuJoCo's tasks as pure functions\n", origin, "\n".join(rows) + "\n"]


def _td3(found: dict[str, Any]) -> list[str]:
    times, limit = found["milliseconds"], found["limit"]
    rows = [
        "| plain PyTorch | what | its ms | ours | ratio, median | lowest | highest |",
        "|---|---|--:|--:|--:|--:|--:|",
    ]
    for who, ratio in found["ratio"].items():
        for what in ("update", "action"):
            theirs, ours = times[f"{who}_{what}"]["median"], times[f"spikeloop_{what}"]["median"]
            form = found["chosen"][f"{who}_{what}"]
            name = f"fastest form ({form})" if who == "fastest" else f"as one writes it ({form})"
            rows.append(f"| {name} | {what} | {theirs:.2f} | {ours:.3f} | {_low_and_high(ratio[what])} |")
        rows.append(f"| the same | both | | | {_low_and_high(ratio['update_and_action'])} |")
    bounds = [
        f"{limit[f'limit_ms_per_update_at_the_rate_of_{kind}']:.2f} ms at the rate of {name}, of which "
        f"{limit[f'fraction_reached_at_the_rate_of_{kind}']:.0%} are reached"
        for kind, name in (("a_large_product", "a large product"), ("its_own_products", "products of its own shapes"))
    ]
    parts = [found["rounds"][f"{who}_{what}"] for who in ("plain", "spikeloop") for what in ("update", "action")]
    by_round = ", ".join(f"{(a + b) / (c + d):.1f}" for a, b, c, d in zip(*parts, strict=True))
    own = times["spikeloop_update"]
    apart = max(max(form.values()) for form in found["relative_differences_in_float64"].values())
    return [
        "## Speed of TD3 with the actor of MDC-SAN\n",
        f"`make bench-td3`  \n{_origin(found['provenance'])}\n",
        f"{found['setting']}; {found['cores']} cores, torch {found['torch']}. Given the same, both find the same losses and "
        f"actions to {apart:.0e} in float64.\n",
        "\n".join(rows),
        f"\nBy round, an update of ours took {own['lowest']:.2f} to {own['highest']:.2f} ms, and the ratio of both to the plain "
        f"form was {by_round}.",
        f"\nThe arithmetic limit of an update, {limit['multiply_adds_per_update'] / 1e6:.0f} million multiply-adds: "
        f"{'; '.join(bounds)}. At the former, update and action would be "
        f"{limit['ratio_at_the_limit_plain']:.1f} and {limit['ratio_at_the_limit_fastest']:.1f} times as fast as PyTorch's two.\n",
    ]


def _low_and_high(ratio: dict[str, float]) -> str:
    return f"{ratio['median']:.1f} | {ratio['lowest']:.1f} | {ratio['highest']:.1f}"


def _origin(provenance: dict[str, Any]) -> str:
    hardware, packages = provenance["hardware"], provenance["packages"]
    accelerators = [name for name in dict.fromkeys(hardware["devices"]) if name != "cpu"]
    return (
        f"commit {provenance['commit'][:12]}, {provenance['date'][:10]}, JAX {packages['jax']}, Python "
        f"{provenance['python']}, {hardware['processor']}, {hardware['cores']} cores"
        + "".join(f", {name}" for name in accelerators)
    )


def _median(values):
    return sorted(values)[len(values) // 2]


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=2) + "\n", encoding="utf-8")


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def main() -> None:
    """Do what the command line says."""
    if sys.argv[1:2] == ["keep"] and len(sys.argv) == 4:
        keep(Path(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:] == ["table-1"]:
        table_1()
    elif sys.argv[1:] != ["page"]:
        sys.exit((__doc__ or "").strip())
    (HERE / "README.md").write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
