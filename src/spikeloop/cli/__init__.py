"""The command line. Nothing here imports JAX before a command needs it, so that ``spikeloop --help`` answers at once."""

import argparse
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

from spikeloop import __version__
from spikeloop.cli import deploy_options
from spikeloop.errors import InvalidInput

DESCRIPTION = "Train spiking neural networks by reinforcement learning, and show what they learned."
EXAMPLES = """examples:
  spikeloop list experiments                     what there is to run
  spikeloop run cartpole                         train it, beside its ANN twin and two null baselines
  spikeloop run cartpole --help                  every field of the experiment, with meaning and default
  spikeloop run cartpole --learner.policy.ticks 4 --seeds 3
  spikeloop evaluate runs/cartpole --episodes 1000
  spikeloop measure runs/cartpole                operations, memory, energy, beside its ANN twin
  spikeloop play runs/cartpole                   an animation of the policy and its spikes
  spikeloop export runs/cartpole policy.npz      for a robot with NumPy alone; policy.nir for other simulators
  spikeloop inspect runs/cartpole                a page to look into it: spikes, tuning, lesions
"""


def parser() -> argparse.ArgumentParser:
    """The parser of everything but the fields of an experiment, which are parsed when the experiment is known."""
    top = _Parser(
        prog="spikeloop",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"spikeloop {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)

    def command(name: str, help: str, **options: Any) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help, description=help, **options)

    run = command("run", "carry out a built-in experiment or study, or the one in a Python file", add_help=False)
    run.add_argument("experiment", nargs="?", help="a name (see `spikeloop list experiments`) or FILE.py")
    run.add_argument("--out", help="directory of the run (default: runs/NAME, or the first free runs/NAME-2, ...)")
    run.add_argument("--no-controls", action="store_true", help="train the learner alone")
    _add_training_options(run)

    resume = command("resume", "go on with a run that was interrupted, to the bit as if it had not been")
    resume.add_argument("run", help="directory of the run")
    _add_file_option(resume)
    _add_training_options(resume)

    evaluate = command("evaluate", "play fresh episodes with the final policies of a run", add_help=False)
    evaluate.add_argument("run", nargs="?", help="directory of the run")
    evaluate.add_argument("--episodes", type=int, default=100, help="episodes per seed (default: 100)")
    evaluate.add_argument("--seed", type=int, default=0, help="seed of the episodes (default: 0)")
    evaluate.add_argument("--arm", help="one learner of the run (default: all)")
    _add_file_option(evaluate)
    evaluate.add_argument("--json", action="store_true", help="print JSON instead of a table")
    evaluate.add_argument("-h", "--help", action="store_true", help="show this and the environment's fields")

    compare = command("compare", "put several runs into one table and one figure, with intervals")
    compare.add_argument("runs", nargs="+", help="directories of runs in the same environment")
    compare.add_argument("--out", help="the figure (default: comparison.png, or pareto.png)")
    compare.add_argument("--pareto", action="store_true", help="measure them, and draw return against cost")
    _add_measuring_options(compare)
    _add_file_option(compare)
    compare.add_argument("--json", action="store_true", help="print JSON instead of a table")

    measure = command("measure", "count what the policies of a run cost: operations, memory, energy (NeuroBench)")
    measure.add_argument("run", help="directory of the run")
    measure.add_argument("--arm", help="one learner of the run (default: all that have synapses)")
    measure.add_argument("--policy-seed", type=int, help="one trained seed (default: all)")
    measure.add_argument(
        "--per",
        choices=("tick", "decision", "episode"),
        default="decision",
        help="the table's unit (default: decision)",
    )
    _add_measuring_options(measure)
    _add_file_option(measure)
    measure.add_argument("--json", action="store_true", help="print JSON instead of tables")

    play = command("play", "animate a trained policy in its environment, with the spikes of every layer beneath")
    play.add_argument("run", help="directory of the run")
    _add_file_option(play)
    play.add_argument("--out", help="file to write, .gif or .mp4 (default: RUN/play.gif)")
    play.add_argument("--arm", help="which learner of the run (default: the experiment's own)")
    play.add_argument("--policy-seed", type=int, help="which trained seed (default: the one of median score)")
    play.add_argument("--seed", type=int, default=0, help="seed of the episode (default: 0)")
    play.add_argument("--max-decisions", type=int, default=1000, help="stop after so many decisions (default: 1000)")

    for deploying in deploy_options.add_commands(command):
        _add_file_option(deploying)

    inspect = command("inspect", "write a page in which a trained policy plays and shows what its neurons do")
    inspect.add_argument("run", help="directory of the run")
    _add_file_option(inspect)
    _add_inspect_options(inspect)

    listing = command("list", "list what the library has, one line each")
    listing.add_argument(
        "kind", nargs="?", help="environments, encoders, neurons, networks, decoders, ... (default: all)"
    )
    return top


def _add_file_option(command):
    command.add_argument("--file", help="Python file that defines the run's own components, if it has any")


def _add_measuring_options(command):
    command.add_argument("--episodes", type=int, default=20, help="episodes per seed to measure (default: 20)")
    command.add_argument("--seed", type=int, default=0, help="seed of these episodes (default: 0)")
    command.add_argument("--energies", metavar="FILE.json", help="energy of each operation, in the place of our tables")


def _add_inspect_options(command):
    command.add_argument("--out", help="the page to write, .html (default: RUN/inspect.html)")
    command.add_argument("--arm", help="which learner of the run (default: the experiment's own)")
    command.add_argument("--policy-seed", type=int, help="which trained seed (default: the one of median score)")
    command.add_argument("--seed", type=int, default=0, help="seed of the episodes (default: 0)")
    command.add_argument("--max-decisions", type=int, default=500, help="stop the episode after so many (default: 500)")
    command.add_argument(
        "--lesion-episodes", type=int, default=20, help="fresh episodes of every lesion; 0 plays none (default: 20)"
    )
    command.add_argument(
        "--serve", action="store_true", help="then serve the page on the loopback address until Ctrl-C"
    )
    command.add_argument("--port", type=int, default=8765, help="port of --serve; 0 takes a free one (default: 8765)")


def _add_training_options(command):
    command.add_argument(
        "--checkpoint-seconds", type=float, default=20.0, help="time between two checkpoints (default: 20)"
    )
    command.add_argument(
        "--arm", help="carry out one learner alone; other processes may carry out others at the same time"
    )
    command.add_argument("--tensorboard", action="store_true", help="also write TensorBoard event files into the run")


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise InvalidInput(f"{message}; see `{self.prog} --help`")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code: 0, 2 for a mistake in what was given, 130 when interrupted."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _main(arguments)
    except InvalidInput as error:
        print(f"spikeloop: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("spikeloop: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output (head, less) went away; nothing is wrong. Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _main(arguments):
    top = parser()
    if (
        arguments[:1] == ["run"]
        and arguments[1:2]
        and arguments[1].startswith("-")
        and arguments[1] not in ("-h", "--help")
    ):
        raise InvalidInput("the experiment comes first: `spikeloop run NAME --option value`")
    options, rest = top.parse_known_args(arguments)
    if options.command is None:
        top.print_help()
        return 0
    if rest and options.command not in ("run", "evaluate"):
        raise InvalidInput(f"unknown option {rest[0]!r}; see `spikeloop {options.command} --help`")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _configure_jax()
    from spikeloop.cli.commands import COMMANDS

    return COMMANDS[options.command](options, rest)


def _configure_jax():
    import jax

    from spikeloop.cli.cache import cache_folder
    from spikeloop.provenance import cores

    # Each core of a CPU is a device of its own, so that seeds run side by side; no effect on other back ends. What the user
    # says of it is left as it is: JAX_NUM_CPU_DEVICES, or XLA's own flag.
    # A program that uses JAX already, and calls `main`, has made its devices; we take what there is.
    said = "JAX_NUM_CPU_DEVICES" in os.environ or "device_count" in os.environ.get("XLA_FLAGS", "")
    if not said:
        with contextlib.suppress(RuntimeError):
            jax.config.update("jax_num_cpu_devices", min(cores(), 16))
    folder = cache_folder()
    if folder is not None:
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
