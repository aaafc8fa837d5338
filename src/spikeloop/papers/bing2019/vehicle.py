"""Bing et al. 2019 (Front. Neurorobot. 13:18): obstacle avoidance and goal approaching, learned from a teacher, driven together.

The measure is the share of 50 unseen scenes, in all of which the teacher reaches the target, in which a policy reaches it too; and
the mean distance of its turns from the teacher's in fresh states. Beside the pupils stand themselves before they learned, an ANN
trained by gradient on as much of the teacher, random actions, and a vehicle that heads for the target blindly.
"""

from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from spikeloop.analysis.tables import cell, markdown, quartiles
from spikeloop.environments import TargetVehicle
from spikeloop.experiment import Experiment, Reference
from spikeloop.interaction import Actor, LinearDecay, Straight, play_episode
from spikeloop.learners import AbstractLearner, RandomActions
from spikeloop.learners.imitation import BehaviouralCloning, Drive, SupervisedPlasticity
from spikeloop.loading import load_policies
from spikeloop.policies import NearOrFar, TurnTowards
from spikeloop.run import Run
from spikeloop.storage import write_atomically, write_json
from spikeloop.training import Protocol, Trainer, over_seeds, spread

SCENES = 50  # unseen scenes, in each of which the teacher succeeds
DRAWN = 100  # scenes that they are taken from
DRIVEN = 30_000  # steps of the teacher that a pupil learns from
STEPS = 400  # fresh steps of the teacher on which turns are compared
UNTRAINED = "untrained"


def vehicle() -> Experiment:
    """Bing 2019: a vehicle's two spiking controllers learn a teacher's turns by reward-modulated STDP; 10 seeds"""
    learner = SupervisedPlasticity(pace=LinearDecay(1.0, 0.0, DRIVEN))
    controls: dict[str, AbstractLearner] = {
        "ann-twin": BehaviouralCloning(),
        "random-actions": RandomActions(steps_per_iteration=100),
    }
    return Experiment(
        environment=TargetVehicle(),
        learner=learner,
        label="supervised-plasticity",
        controls=controls,
        protocol=Protocol(env_steps=DRIVEN, evaluations=2, records=100, final_episodes=50),
        seeds=10,
        reference=Reference(
            "Bing et al. 2019", "reaches the target in unseen scenes; the published share is not known to us"
        ),
    )


class Trial(eqx.Module):
    """How a policy does: its returns in the scenes, and the distance of its turns from the teacher's, near and far."""

    returns: Float[Array | np.ndarray, "... scenes"]
    near: Float[Array | np.ndarray, "..."]
    far: Float[Array | np.ndarray, "..."]
    error: Float[Array | np.ndarray, "..."]


def scenes(world: TargetVehicle, drive: Drive) -> PRNGKeyArray:
    """The keys of `SCENES` episodes that begin in scenes where the teacher reaches the target, unless fewer are found."""
    keys = jax.random.split(jax.random.key(20190318), DRAWN)
    teacher = _teacher(world, drive)
    returns = jax.jit(jax.vmap(lambda key: play_episode(world, teacher, key).episode.episode_return))(keys)
    return keys[np.flatnonzero(np.asarray(returns) > 0)[:SCENES]]


def tried(world: TargetVehicle, drive: Drive, actors: Actor, seeds: int, keys: PRNGKeyArray) -> Trial:
    """Every seed's policy (the leading axis of the arrays) in these scenes, and on fresh states of the teacher's drive."""
    arrays, description = eqx.partition(actors, eqx.is_array)
    split = drive.teacher

    def one(pair):
        arrays, key = pair
        actor = eqx.combine(arrays, description)
        returns = jax.vmap(lambda k: play_episode(world, actor, k).episode.episode_return)(keys)
        init_key, drive_key, act_key = jax.random.split(key, 3)
        _, lesson = drive(world, drive.init(world, init_key), STEPS, drive_key)

        def turn(obs, key):
            return actor(actor.init_state(), obs, key)[1].action

        turns = jax.vmap(turn)(lesson.obs, jax.random.split(act_key, STEPS))
        errors = jnp.mean(jnp.abs(turns - lesson.target), axis=1)
        near = jax.vmap(split.is_near)(lesson.obs) if isinstance(split, NearOrFar) else jnp.ones(STEPS, bool)
        return Trial(returns, _mean(errors, near), _mean(errors, ~near), jnp.mean(errors))

    drives = jax.random.split(jax.random.key(13), seeds)
    return jax.device_get(over_seeds(one, seeds, in_step=True)(spread((arrays, drives), seeds)))


def report_vehicle(run: Run) -> list[Path]:
    """Turns and targets reached beside the teacher's as table.json, and the error while learning as a figure; returns the files."""
    made, world = run.experiment, run.experiment.environment
    if not isinstance(made.learner, SupervisedPlasticity) or not isinstance(world, TargetVehicle):
        return []
    drive = made.learner.drive
    keys = scenes(world, drive)
    begun = Trainer(world, made.learner, made.protocol, made.seed_range).actors()
    policies = {arm: load_policies(run, arm).actors for arm in made.arms if arm != made.label}
    found = {name: tried(world, drive, actors, made.seeds, keys) for name, actors in policies.items()}
    ended = load_policies(run, made.label).actors
    both = jax.tree.map(lambda one, two: jnp.concatenate([one, two]) if eqx.is_array(one) else one, begun, ended)
    trials = tried(world, drive, both, 2 * made.seeds, keys)  # one program: compiling it takes longer than running it
    found[UNTRAINED] = jax.tree.map(lambda leaf: leaf[: made.seeds], trials)
    found[made.label] = jax.tree.map(lambda leaf: leaf[made.seeds :], trials)
    blind = Actor(
        NearOrFar(TurnTowards(), TurnTowards(), sensors=6, threshold=2.0), _nothing(), world.spec.actions, Straight()
    )
    for name, actor in (("teacher", _teacher(world, drive)), ("towards the target", blind)):
        found[name] = jax.tree.map(lambda leaf: leaf[:1], tried(world, drive, _once(actor), 1, keys))
    order = ["teacher", *made.arms, UNTRAINED, "towards the target"]
    numbers = {name: _statistics(found[name]) for name in order}
    rows = [
        [name, *(cell(numbers[name][key]) for key in ("reached", "collided", "error", "near", "far"))] for name in order
    ]
    fall = numbers[UNTRAINED]["mean_error"] / numbers[made.label]["mean_error"]
    title = (
        f"{keys.shape[0]} unseen scenes in which the teacher reaches the target; median (quartiles) over {made.seeds} seeds. "
        f"Error: mean distance from the teacher's turn, as a share of the largest turn, in {STEPS:,} fresh steps, and "
        f"where something is near, or not. Learning divides it by {fall:.1f}."
    )
    header = ["", "reached, %", "collided, %", "error", "near", "far"]
    table = {"title": title, "markdown": markdown(header, rows), "fall": round(fall, 2), "arms": numbers}
    write_json(run.path / "table.json", table)
    arms = [name for name in made.arms if "error" in run.lines(name, "metrics.jsonl")[0]["metrics"]]
    curves = {name: errors(run, name) for name in arms}
    write_atomically(run.path / "error.png", draw_errors(curves, numbers[UNTRAINED]["mean_error"]))
    return [run.path / "table.json", run.path / "error.png"]


def errors(run: Run, arm: str) -> Float[np.ndarray, "seeds records 2"]:
    """Environment steps and imitation error of every record of every seed."""
    lines = run.lines(arm, "metrics.jsonl")
    return np.asarray(
        [
            [(line["env_steps"], line["metrics"]["error"]) for line in lines if line["seed"] == seed]
            for seed in run.experiment.seed_range
        ]
    )


def draw_errors(curves: dict[str, Float[np.ndarray, "seeds records 2"]], untrained: float) -> bytes:
    """Median and quartiles over seeds of the imitation error while learning."""
    from spikeloop.analysis.figures import png
    from spikeloop.analysis.style import MUTED, apply_style, colour_of, new_figure

    with apply_style():
        figure = new_figure(6.6, 3.6)
        figure.set_layout_engine("constrained")
        axes = figure.subplots()
        for place, (name, values) in enumerate(curves.items()):
            low, middle, high = np.percentile(values[:, :, 1], [25, 50, 75], axis=0)
            axes.fill_between(values[0, :, 0], low, high, color=colour_of(place), alpha=0.18, lw=0)
            axes.plot(values[0, :, 0], middle, color=colour_of(place), label=name.replace("-", " "))
        axes.axhline(untrained, color=MUTED, ls="--", lw=1, label="before learning")
        axes.set_xlabel("steps of the teacher")
        axes.set_ylabel("distance from its turn")
        axes.set_ylim(0, None)
        figure.legend(loc="outside right upper")
        return png(figure)


def _statistics(trial: Trial) -> dict[str, Any]:
    returns = np.asarray(trial.returns)
    reached = 100.0 * (returns > 0).mean(axis=1)
    return {
        "reached": quartiles(reached),
        "reached_of_seeds": reached.round(1).tolist(),
        "mean_reached": round(float(reached.mean()), 1),
        "collided": quartiles(100.0 * (returns < 0).mean(axis=1)),
        "error": quartiles(np.asarray(trial.error), 3),
        "mean_error": round(float(np.mean(trial.error)), 4),
        "near": quartiles(np.asarray(trial.near), 3),
        "far": quartiles(np.asarray(trial.far), 3),
    }


def _teacher(world: TargetVehicle, drive: Drive) -> Actor:
    params = drive.teacher.init(world.spec.observation_size, world.spec.actions.output_size, jax.random.key(0))
    return Actor(drive.teacher, params, world.spec.actions, Straight())


def _nothing() -> Any:
    return NearOrFar(TurnTowards(), TurnTowards()).init(7, 1, jax.random.key(0))


def _once(actor: Actor) -> Actor:
    return jax.tree.map(lambda leaf: leaf[None] if eqx.is_array(leaf) else leaf, actor)


def _mean(values, where):
    return jnp.sum(jnp.where(where, values, 0.0)) / jnp.maximum(jnp.sum(where), 1)
