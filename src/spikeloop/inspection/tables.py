"""What the page says without a script: the summary, every table, and what was left out."""

import html
from collections.abc import Sequence
from importlib import metadata
from typing import Any

import numpy as np

from spikeloop.analysis.scenes import action_names, variable_names
from spikeloop.environments import Discrete
from spikeloop.inspection.data import broadcast, movement, ranked
from spikeloop.inspection.gathering import ASKED, Inspection

ROWS = 200  # of a table, at most


def title(inspection: Inspection) -> str:
    """The page's title."""
    return f"{inspection.run.name}: {inspection.arm}, seed {inspection.seed}"


def facts(inspection: Inspection) -> str:
    """The line beneath the title."""
    policy, actor = inspection.actor.policy, inspection.actor
    sizes = " + ".join(str(size) for size in policy.populations(actor.actions.output_size))
    spec, recording = inspection.run.experiment.environment.spec, inspection.recording
    return _text(
        f"{spec.name} \u00b7 {type(policy).__name__} of {sizes} neurons, {recording.ticks} "
        f"tick{'s' * (recording.ticks != 1)} a decision \u00b7 episode of return {recording.total_return:g}"
    )


def summary(inspection: Inspection) -> str:
    """Of the policy: measured return, spikes, and each population's activity in the episode."""
    recording, wiring = inspection.recording, inspection.wiring
    final = inspection.run.final(inspection.arm) or {}
    seeds = list(final.get("seeds", []))
    cards = [("return of this episode", _number(recording.total_return), f"{recording.decisions} decisions")]
    if inspection.seed in seeds:
        returns = np.asarray(final["returns"][seeds.index(inspection.seed)], float)
        cards.append(
            ("return measured by the run", _number(float(returns.mean())), f"mean of {len(returns)} fresh episodes")
        )
    spikes = sum(float(each.sum()) for each in recording.spikes) / recording.decisions
    cards.append(("spikes a decision", _number(spikes), "all populations together"))
    tiles = "".join(
        f'<div class="card"><span>{_text(name)}</span><b>{_text(value)}</b><small>{_text(note)}</small></div>'
        for name, value, note in cards
    )
    rows = []
    for place, each in zip(wiring.populations(), recording.spikes, strict=True):
        silent = int((each.sum(axis=(0, 1)) == 0).sum())
        cells = [wiring.nodes[place].name, str(each.shape[2]), f"{float(each.mean()):.3f}", str(silent)]
        rows.append([*cells, _number(float(each.sum()) / recording.decisions)])
    header = ["population", "neurons", "spikes a neuron and tick", "silent in the episode", "spikes a decision"]
    return f'<div class="cards">{tiles}</div>' + _table(header, rows)


def lesion_table(inspection: Inspection) -> str:
    """The lesion study, the costliest first."""
    study = inspection.lesions
    if study is None:
        return "<p>No lesion was played (--lesion-episodes 0).</p>"
    low, high = study.interval(None)
    episodes = len(study.intact)
    alone = all(len(lesion.neurons) == 1 for lesion in study.lesions)
    how = (
        "Each neuron that fires was silenced alone"
        if alone
        else "Neurons that fire were silenced in groups of those that fire about as often, small populations one by one"
    )
    silent = sum(inspection.never_fired)
    quiet = f" {silent} neurons never fired in them; silencing those changes nothing." if silent else ""
    text = (
        f"{how}: what it fires reaches nobody. Mean return over {episodes} fresh episodes, the same for every lesion, "
        f"with its 95 % bootstrap interval; intact {_number(float(study.intact.mean()))} [{_number(low)}, {_number(high)}].{quiet}"
    )
    rows = []
    discrete = isinstance(inspection.actor.actions, Discrete) and inspection.intact.frequencies is not None
    names = action_names(inspection.run.experiment.environment)
    for place in ranked(study)[:ROWS]:
        lesion, change = study.lesions[place], inspection.changes[place]
        ends = study.interval(place)
        node = inspection.wiring.nodes[inspection.wiring.populations()[lesion.population]]
        row = [
            f"{node.name} {neurons_of(lesion.neurons)}",
            _number(float(study.returns[place].mean())),
            f"{_number(ends[0])} to {_number(ends[1])}",
            _signed(-study.loss(place)) + (" *" if study.matters(place) else ""),
            "" if change.changed is None else f"{100 * change.changed:.0f} %",
        ]
        if discrete and change.frequencies is not None:
            row += [f"{100 * share:.0f} %" for share in change.frequencies]
        rows.append(row)
    header = ["silenced", "return", "95 % interval", "difference", "decisions changed"]
    header += [str(name) for name in names] if discrete else []
    note = "* the interval of the difference, episode by episode, leaves out zero. "
    note += f"Decisions changed, and how often each action is then taken: at {ASKED} states of the recorded episode, from rest."
    more = f" The {ROWS} costliest of {len(study.lesions)}." if len(study.lesions) > ROWS else ""
    table = _folded(
        f"All {min(ROWS, len(study.lesions))} lesions as a table",
        _table(header, rows) + f'<p class="hint">{_text(note + more)}</p>',
    )
    return f'<p class="lead">{_text(text)}</p><div id="ranking" class="scripted"></div>{table}'


def inputs_table(inspection: Inspection) -> str:
    """The sensitivities as a matrix, each cell shaded by its size."""
    found, environment = inspection.sensitivity, inspection.run.experiment.environment
    names, outputs = variable_names(environment), action_names(environment)
    outputs = (
        outputs
        if len(outputs) == found.effect.shape[1]
        else tuple(f"output {n + 1}" for n in range(found.effect.shape[1]))
    )
    largest = float(np.abs(found.effect).max()) or 1.0
    order = range(len(inspection.asked))
    if len(inspection.asked) > 24:
        order = np.argsort(-found.size.sum(axis=1), kind="stable")[:24]
    body = ""
    for place in order:
        cells = "".join(_shaded(float(value), largest) for value in found.effect[place])
        switched = "" if found.switched is None else f"<td>{100 * float(found.switched[place]):.0f} %</td>"
        body += (
            f"<tr><th scope='row'>{_text(names[inspection.asked[place]])}</th><td>{_number(float(found.deviation[place]))}</td>"
            f"{cells}{switched}</tr>"
        )
    head = "".join(f"<th scope='col'>{_text(str(name))}</th>" for name in ("variable", "deviation", *outputs))
    head += "" if found.switched is None else "<th scope='col'>action changes</th>"
    states = min(ASKED, inspection.recording.decisions)
    text = (
        f"Change of each output as a variable rises by one standard deviation of its own, mean over {states} states of the "
        "episode (central differences, from rest, all other variables as they were)."
    )
    if found.switched is not None:
        text += " Action changes: at so many of the states, half a deviation up or down leads to another action."
    if len(inspection.asked) > 24:
        text += f" The 24 variables of largest effect, of {len(names)}."
    table = f'<table class="matrix"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    return f'<p class="lead">{_text(text)}</p><div class="wide">{table}</div>'


def weights_table(inspection: Inspection) -> str:
    """How far each connection moved since training began."""
    if inspection.before is None:
        return "<p>This run does not say what its weights began with.</p>"
    nodes, rows = inspection.wiring.nodes, []
    for old, new in zip(inspection.before.edges, inspection.wiring.edges, strict=True):
        found = movement(old, new)
        path = f"{nodes[new.pre].name} \u2192 {nodes[new.post].name}"
        if found["moved"] == 0.0:
            rows.append([path, str(new.weights.size), _number(found["before"]), "did not move", "", ""])
            continue
        relative = f"{100 * found['relative']:.0f} %" if np.isfinite(found["relative"]) else "from zero"
        sizes = [_number(found["before"]), _number(found["after"])]
        rows.append([path, str(new.weights.size), *sizes, relative, f"{100 * found['turned']:.0f} %"])
    text = "The weights that training began with, made again from the seed, beside those that it ended with."
    told = [name for name in broadcast(inspection) if any(name in line["metrics"] for line in inspection.metrics)]
    if told:
        text += f" Every learning synapse or neuron was told the same broadcast signal, drawn below: {', '.join(told)}."
    header = ["connection", "weights", "mean size before", "after", "moved, relative to before", "turned their sign"]
    return f'<p class="lead">{_text(text)}</p>' + _table(header, rows)


def about(inspection: Inspection, cuts: Sequence[str]) -> str:
    """What was measured how, and what was left out."""
    policy = inspection.actor.policy
    lines = [
        "Spikes, potentials and evidence are those of one episode, recorded tick by tick. A potential is the one that a tick "
        "leaves behind, for most neurons after the reset by its spike.",
        "A tuning map holds the variables that are not drawn at their medians in the episode; the policy is asked from rest.",
    ]
    if policy.carries_state:
        lines.append(
            "This policy carries state from one decision to the next; what is asked from rest may differ from an episode."
        )
    if policy.stochastic:
        lines.append("This policy draws random numbers; what is asked from rest is a mean of 8 draws.")
    lines += cuts
    items = "".join(f"<li>{_text(line)}</li>" for line in lines)
    made = f"Made by spikeloop {metadata.version('spikeloop')}. Curves are drawn by uPlot (MIT licence, \u00a9 Leon Sorokin)."
    return f'<ul class="notes">{items}</ul><p class="hint">{_text(made)}</p>'


def neurons_of(neurons: Sequence[int]) -> str:
    """Places of neurons as people count them, cut where there are many."""
    shown = ", ".join(str(neuron + 1) for neuron in neurons[:6])
    return shown if len(neurons) <= 6 else f"{shown}, ... ({len(neurons)} neurons)"


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th scope='col'>{_text(name)}</th>" for name in header)
    body = "".join(
        f"<tr><th scope='row'>{_text(row[0])}</th>{''.join(f'<td>{_text(cell)}</td>' for cell in row[1:])}</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _folded(name: str, content: str) -> str:
    return f"<details><summary>{_text(name)}</summary>{content}</details>"


def _shaded(value: float, largest: float) -> str:
    share = round(100 * min(1.0, abs(value) / largest))
    sign = "plus" if value > 0 else "minus"
    return f"<td class='{sign}' style='--share:{share}%'>{_signed(value)}</td>"


def _number(value: float) -> str:
    if not np.isfinite(value):
        return str(value)
    return (
        f"{value:.0f}"
        if value == round(value) and abs(value) < 1e6
        else f"{value:.3g}"
        if abs(value) < 100
        else f"{value:.1f}"
    )


def _signed(value: float) -> str:
    return ("+" if value > 0 else "") + _number(value).replace("-", "\N{MINUS SIGN}")


def _text(value: Any) -> str:
    return html.escape(str(value))
