"""What each command of the command line does. Imported only when a command runs."""

import argparse
import json
import re
import sys
from pathlib import Path

import jax
import numpy as np

from spikeloop import cli
from spikeloop.catalogue import ENTRIES, entry, lists
from spikeloop.cli.deploy import export_policy, import_graph
from spikeloop.cli.opening import beside, free_path, load_components, load_file, make_console, open_run
from spikeloop.cli.overrides import override
from spikeloop.cli.progress import TerminalWatcher
from spikeloop.cli.tables import print_results
from spikeloop.comparison import ArmResult, compare, curves, summarise
from spikeloop.component import Component
from spikeloop.environments import AbstractEnvironment
from spikeloop.errors import InvalidInput
from spikeloop.experiment import Experiment
from spikeloop.importing import fine_tuning
from spikeloop.loading import chosen_place, evaluate_policies, load_policies
from spikeloop.provenance import provenance
from spikeloop.run import Run, Watcher
from spikeloop.storage import write_atomically
from spikeloop.study import AbstractStudy, StudyRun, holds_study
from spikeloop.training import evaluation_json


def run(options: argparse.Namespace, rest: list[str]) -> int:
    """Carry out an experiment or a study in a new run directory."""
    wants_help = any(word in ("-h", "--help") for word in rest)
    name = options.experiment
    if name is None and wants_help:
        _print_help("run", "then every field of the experiment or study: `spikeloop run NAME --help` lists them")
        print(
            "\nexperiments and studies:\n" + "\n".join(f"  {name:<20} {line}" for name, line in lists()["experiments"])
        )
        return 0
    if name is None:
        raise InvalidInput("which experiment? `spikeloop list experiments` names them")
    made = _made(name)
    made = override(made, rest, f"spikeloop run {name}")
    path = Path(options.out) if options.out else free_path(Path("runs") / re.sub(r"[^\w-]+", "-", _stem(name)))
    if isinstance(made, AbstractStudy):
        _require_no_training(options)
        return _carry_out_study(StudyRun.create(path, made, _stem(name)))
    if options.no_controls:
        made = made.with_fields(controls={})
    if options.arm:
        made.arm(options.arm)  # before anything is written
    return _carry_out(Run.create(path, made, _stem(name)), options)


def resume(options: argparse.Namespace, rest: list[str]) -> int:
    """Go on with a run."""
    load_components(options)
    path = Path(options.run)
    if holds_study(path):
        _require_no_training(options)
        return _carry_out_study(StudyRun.open(path))
    return _carry_out(Run.open(path), options)


def evaluate(options: argparse.Namespace, rest: list[str]) -> int:
    """Play fresh episodes with the final policies of a run."""
    if options.run is None:
        if options.help:
            _print_help("evaluate", "then the environment's fields, as in `--environment.max-steps 10000`")
            return 0
        raise InvalidInput("which run? `spikeloop evaluate RUN`")
    opened = open_run(options.run, options)
    program = f"spikeloop evaluate {options.run}"
    setting = override(World(opened.experiment.environment), rest + ["--help"] * options.help, program)
    if options.episodes < 1:
        raise InvalidInput(f"--episodes must be at least 1, got {options.episodes}")
    arms = [opened.arm(options.arm)] if options.arm else list(opened.experiment.arms)
    spec = setting.environment.spec
    found, details = [], {}
    for arm in arms:
        played = evaluate_policies(load_policies(opened, arm), setting.environment, options.episodes, options.seed)
        measured = evaluation_json(played)
        result = ArmResult.of(arm, {**(opened.final(arm) or {}), **measured})
        at_limit = float(np.mean(np.asarray(measured["lengths"]) >= spec.max_steps))
        found.append((arm, result))
        details[arm] = {**result.as_json(), "at_limit": at_limit, "returns": measured["returns"]}
    if options.json:
        about = {"episodes": options.episodes, "seed": options.seed, "max_steps": spec.max_steps}
        print(json.dumps({**about, "provenance": provenance(), "arms": details}))
        return 0
    title = f"{options.run}: {options.episodes} fresh episodes per seed in {spec.name}, at most {spec.max_steps} steps"
    print_results(make_console(), title, found, wall=False)
    return 0


def compare_runs(options: argparse.Namespace, rest: list[str]) -> int:
    """Several runs in one table and one figure."""
    from spikeloop.analysis.figures import learning_curves

    if options.pareto:
        from spikeloop.cli.measuring import pareto

        return pareto([open_run(path, options) for path in options.runs], options, make_console())
    if options.energies:
        raise InvalidInput("--energies is for --pareto; learning curves need none")
    found = compare([open_run(path, options) for path in options.runs])
    drawn, rows = [], []
    for opened, results in found:
        # The folder's name where that tells the runs apart, else the whole path as it was given.
        short = len({other.path.name for other, _ in found}) == len(found)
        prefix = "" if len(found) == 1 else f"{opened.path.name if short else opened.path}/"
        drawn += curves(opened, prefix)
        rows += [(prefix + result.name, result) for result in results]
    figure = Path(options.out or "comparison.png")
    if figure.suffix != ".png":
        raise InvalidInput(f"--out must end in .png, got {figure}")
    name = found[0][0].experiment.environment.spec.name
    write_atomically(figure, learning_curves(drawn, name))
    if options.json:
        print(json.dumps({row: result.as_json() for row, result in rows}))
        return 0
    print_results(make_console(), name, rows)
    print(f"figure: {figure}")
    return 0


def measure(options: argparse.Namespace, rest: list[str]) -> int:
    """Count what the policies of a run cost."""
    from spikeloop.cli.measuring import measure_run

    return measure_run(open_run(options.run, options), options, make_console())


def play(options: argparse.Namespace, rest: list[str]) -> int:
    """Animate a trained policy."""
    from spikeloop.analysis.animation import animate
    from spikeloop.analysis.recording import record_episode

    opened = open_run(options.run, options)
    arm = opened.arm(options.arm)
    policies = load_policies(opened, arm)
    place = chosen_place(opened, arm, policies, options.policy_seed)
    path = Path(options.out) if options.out else beside(opened, "play.gif")
    environment = opened.experiment.environment
    key = jax.random.key(options.seed)
    recording = record_episode(environment, policies.of_seed(place), key, options.max_decisions)
    title = f"{environment.spec.name}, {arm}, seed {policies.seeds[place]}"
    console = make_console()
    with console.status("drawing") as status:

        def on_frame(done: int, total: int) -> None:
            status.update(f"drawing frame {done} of {total}")

        animate(environment, recording, path, title=title, on_frame=on_frame)
    print(f"{arm}, seed {policies.seeds[place]}: return {recording.total_return:g}; animation: {path}")
    return 0


def list_components(options: argparse.Namespace, rest: list[str]) -> int:
    """What the library has."""
    found = lists()
    kinds = [options.kind] if options.kind else list(found)
    for kind in kinds:
        if kind not in found:
            raise InvalidInput(f"there is no list of {kind!r}; there are {', '.join(found)}")
        print(f"{kind}:")
        width = max(len(name) for name, _ in found[kind])
        for name, line in found[kind]:
            print(f"  {name:<{width}}  {line}")
    return 0


class World(Component):
    """The environment of an evaluation: what can be changed of it from the command line."""

    environment: AbstractEnvironment


def _carry_out(opened: Run, options: argparse.Namespace) -> int:
    if not options.checkpoint_seconds >= 0:
        raise InvalidInput(f"--checkpoint-seconds must be at least 0, got {options.checkpoint_seconds}")
    only = opened.arm(options.arm) if options.arm else None
    console = make_console()
    terminal = TerminalWatcher(console)
    watchers: list[Watcher] = [terminal]
    if options.tensorboard:
        from spikeloop.tensorboard import TensorBoardWatcher

        watchers.append(TensorBoardWatcher(opened.path / "tensorboard"))
    try:
        opened.carry_out(Watchers(watchers), options.checkpoint_seconds, only)
    except KeyboardInterrupt:
        terminal.close()
        print(f"spikeloop: interrupted; `spikeloop resume {opened.path}` goes on from here", file=sys.stderr)
        return 130
    finally:
        terminal.close()
    results = summarise(opened)
    experiment = opened.experiment
    spec = experiment.environment.spec
    title = f"\n{opened.name}: final policies in {spec.name} ({spec.max_steps} steps at most), "
    title += f"{experiment.protocol.final_episodes} fresh episodes per seed"
    print_results(console, title, [(result.name, result) for result in results])
    if experiment.reference is not None:
        console.print(f"published: {experiment.reference.claim} ({experiment.reference.source})", highlight=False)
    report = ENTRIES[opened.name].report if opened.name in ENTRIES and opened.finished else None
    if report is not None:
        report(opened)
    for figure in opened.figures():
        print(f"figure: {figure}")
    return 0


def _require_no_training(options: argparse.Namespace) -> None:
    for option in ("no_controls", "tensorboard", "arm"):
        if getattr(options, option, False):
            raise InvalidInput(f"--{option.replace('_', '-')} is for experiments; a study trains nothing")


def _carry_out_study(opened: StudyRun) -> int:
    try:
        with make_console().status(f"carrying out {opened.name}"):
            opened.carry_out()
    except KeyboardInterrupt:
        print(f"spikeloop: interrupted; `spikeloop resume {opened.path}` carries it out again", file=sys.stderr)
        return 130
    table = opened.table()
    print(f"{table['title']}\n\n{table['markdown']}\n")
    for figure in opened.figures():
        print(f"figure: {figure}")
    return 0


class Watchers(Watcher):
    """Several watchers as one."""

    def __init__(self, watchers: list[Watcher]):
        self.watchers = watchers

    def begin(self, arm, trainer):
        for watcher in self.watchers:
            watcher.begin(arm, trainer)

    def records(self, arm, trainer, records):
        for watcher in self.watchers:
            watcher.records(arm, trainer, records)

    def evaluated(self, arm, evaluation):
        for watcher in self.watchers:
            watcher.evaluated(arm, evaluation)

    def finished(self, arm, final):
        for watcher in self.watchers:
            watcher.finished(arm, final)


def _print_help(command: str, note: str) -> None:
    subparsers = next(a for a in cli.parser()._actions if isinstance(a, argparse._SubParsersAction))
    print(subparsers.choices[command].format_help())
    print(note)


def _made(name: str) -> Experiment | AbstractStudy:
    """A built-in experiment or study, that of a file, or one that goes on from the policy of a run."""
    if holds_run(name):
        return fine_tuning(Run.open(Path(name)))
    return _from_file(Path(name)) if name.endswith(".py") else entry(name).make()


def holds_run(name: str) -> bool:
    """Whether there is a run directory of that name."""
    return (Path(name) / "run.json").is_file()


def _stem(name: str) -> str:
    if holds_run(name):
        return f"{Path(name).resolve().name}-tuned"
    return Path(name).stem if name.endswith(".py") else name


def _from_file(path: Path) -> Experiment | AbstractStudy:
    experiment = getattr(load_file(path), "experiment", None)
    if not isinstance(experiment, Experiment | AbstractStudy):
        raise InvalidInput(f"{path} does not define `experiment = spikeloop.Experiment(...)`, nor a study of that name")
    return experiment


def inspect(options: argparse.Namespace, rest: list[str]) -> int:
    """A page in which a trained policy plays."""
    from spikeloop.cli.inspecting import inspect

    return inspect(options, rest)


COMMANDS = {
    "inspect": inspect,
    "run": run,
    "resume": resume,
    "evaluate": evaluate,
    "compare": compare_runs,
    "measure": measure,
    "play": play,
    "export": export_policy,
    "import": import_graph,
    "list": list_components,
}
