"""Run directories from policies that were made elsewhere, and experiments that go on from the policy of any run.

An imported policy lies in a run directory like that of one trained here, finished and evaluated, so that whatever takes a run takes
it too. The learner of that run is a `FixedPolicy`: nothing was learned.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any

import jax

from spikeloop.component import describe
from spikeloop.environments import AbstractEnvironment, Discrete, Gymnasium, Gymnax, MuJoCo
from spikeloop.errors import InvalidInput
from spikeloop.experiment import Experiment
from spikeloop.folder import FORMAT
from spikeloop.gallery import q_learning
from spikeloop.interaction import Actor, Constant, EpsilonGreedy, LinearDecay, NoNormalisation
from spikeloop.learners import TD3, AbstractLearner, Adam, ClipByNorm, Evolution, FineTuning, FixedPolicy
from spikeloop.loading import Policies, chosen_place, evaluate_policies, load_policies
from spikeloop.provenance import provenance
from spikeloop.run import Run
from spikeloop.storage import save_arrays, write_json
from spikeloop.training import Protocol, evaluation_json

ARM = "imported"
FINE_TUNING_STEPS = 20_000


def environment_named(name: str) -> AbstractEnvironment:
    """The environment of that name: gymnax's, Gymnasium's MuJoCo tasks, or any other of Gymnasium. Raises InvalidInput."""
    if name in Gymnax.names():
        return Gymnax(name)
    return MuJoCo(name) if name in MuJoCo.names() else Gymnasium(name)


def import_run(path: Path, actor: Actor, environment: AbstractEnvironment, episodes: int = 100, seed: int = 0) -> Run:
    """Make the run directory of a policy, evaluated over so many episodes. It is there as a whole or not at all.

    Raises InvalidInput if the directory exists, or the policy does not fit the environment.
    """
    if path.exists() and any(path.iterdir() if path.is_dir() else [path]):
        raise InvalidInput(f"{path} exists already; choose another directory")
    spec = environment.spec
    params = jax.tree.map(lambda leaf: leaf[None], actor.params)
    policies = Policies(Actor(actor.policy, params, actor.actions, actor.selection), spec, (0,))
    measured = evaluation_json(evaluate_policies(policies, environment, episodes, seed))
    file = path / "arms" / ARM / "policy.safetensors"
    experiment = Experiment(
        environment=environment,
        learner=FixedPolicy(actor.policy, str(file), selection=actor.selection),
        label=ARM,
        protocol=Protocol(env_steps=1, evaluations=1, records=1, final_episodes=episodes, evaluation_episodes=episodes),
        seeds=1,
    )
    header = {
        "policy": describe(actor.policy),
        "selection": describe(actor.selection),
        "spec": describe(spec),
        "seeds": [0],
    }
    final = {"env_steps": [0], "episodes": [0], "seeds": [0], "diverged_seeds": [], **measured, "wall_seconds": 0.0}
    made: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        (made / "arms" / ARM).mkdir(parents=True)
        write_json(made / "provenance.json", provenance())
        write_json(made / "run.json", {"format": FORMAT, "name": path.name, "experiment": describe(experiment)})
        save_arrays(made / "arms" / ARM / file.name, jax.device_get(params), header)
        write_json(made / "arms" / ARM / "final.json", final)
        made.chmod(0o755)
        made.replace(path)
    except OSError as error:
        raise InvalidInput(f"cannot make {path}: {error.strerror or error}") from None
    finally:
        if made is not None and made.exists() and made != path:
            shutil.rmtree(made, ignore_errors=True)
    return Run.open(path)


def fine_tuning(run: Run, arm: str | None = None) -> Experiment:
    """An experiment that goes on learning from a run's policy, the one of median score.

    The learner is that of the arm, if it has one that changes a policy; else `q_learning` with little exploration and a small rate
    for discrete actions, TD3 for continuous ones, or evolution where the policy keeps its state between decisions.
    """
    arm = run.arm(arm)
    policies = load_policies(run, arm)
    place = chosen_place(run, arm, policies)
    environment, policy = run.experiment.environment, policies.actors.policy
    learner = run.experiment.arms[arm]
    while isinstance(learner, FineTuning):
        learner = learner.learner
    if isinstance(learner, FixedPolicy) or getattr(learner, "policy", None) != policy:
        learner = _learner(policy, policies.spec)
    file = str(run.arm_path(arm) / "policy.safetensors")
    return Experiment(
        environment=environment,
        learner=FineTuning(learner, file, place),
        label="fine-tuned",
        controls={"as-it-was": FixedPolicy(policy, file, place, policies.actors.selection)},
        protocol=Protocol(env_steps=FINE_TUNING_STEPS),
        seeds=4,
    )


def _learner(policy: Any, spec: Any) -> AbstractLearner:
    if policy.carries_state:
        return Evolution(policy)
    if not isinstance(spec.actions, Discrete):
        return TD3(policy, normalisation=NoNormalisation())
    return q_learning(policy, FINE_TUNING_STEPS).with_fields(
        exploration=EpsilonGreedy(Constant(0.05)),
        optimizer=Adam(LinearDecay(3e-4, 0.0, FINE_TUNING_STEPS), ClipByNorm(10.0)),
    )
