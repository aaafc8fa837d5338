// Puts the page together from its data.

import { Arrays } from "./arrays.js";
import { Choice, Clock } from "./clock.js";
import { limits } from "./curves.js";
import { Graph, glowOf } from "./graph.js";
import { Lanes } from "./lanes.js";
import { showLesions } from "./lesions.js";
import { Neuron } from "./neuron.js";
import { Player } from "./player.js";
import { Scene } from "./scene.js";
import { beginTheme, byId, number } from "./theme.js";
import { showMovement, showTraining } from "./weights.js";

// The data with its arrays unpacked, and what is asked of them.
function modelOf(data, arrays) {
  const { episode } = data;
  const { decisions, ticks, outputs } = episode;
  const rowsOf = (packed) => Array.from({ length: packed.shape[0] }, (_, i) => arrays.row(packed, i));
  const rewards = arrays.floats(episode.rewards);
  const returns = [0];
  for (const reward of rewards) returns.push(returns[returns.length - 1] + reward);
  const evidence = rowsOf(episode.evidence);
  const observations = rowsOf(episode.observations);
  const named = data.actions.length === outputs;
  const populations = data.populations.map((population) => populationOf(population, arrays));
  const activity = new Float64Array(decisions);
  for (const { trains } of populations) for (const time of trains.times) activity[Math.floor(time / ticks)] += 1;
  const held = (values) => Float32Array.from([...values, values[values.length - 1]]); // steps need an end
  const kept = data.maps.kept.map((packed) => new Map([...arrays.integers(packed)].map((neuron, row) => [neuron, row])));
  return {
    ...data,
    arrays,
    end: episode.end,
    perDecision: ticks,
    ticks: Float64Array.from({ length: decisions * ticks }, (_, i) => i + 1),
    decisionTicks: Float64Array.from({ length: decisions + 1 }, (_, i) => i * ticks),
    evidence,
    outputLines: rowsOf(episode.output).map((row) => Float32Array.from({ length: decisions * ticks }, (_, i) => row[Math.floor(i / ticks)])),
    heldOutputs: rowsOf(episode.output).map(held),
    observations,
    observationSizes: observations.map((values) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)),
    outputRange: limits(evidence),
    actions: data.continuous ? [] : arrays.integers(episode.actions),
    actionRows: data.continuous ? rowsOf(episode.actions).map(held) : [],
    rewardLine: held(rewards),
    returns,
    activity,
    populations,
    variableNames: data.variables,
    actionNames: data.actions,
    outputNames: named ? data.actions : Array.from({ length: outputs }, (_, i) => `output ${i + 1}`),
    edges: data.edges.map((edge) => {
      const columns = edge.weights.shape[1];
      const weights = arrays.floats(edge.weights);
      // A code stands for about its value: what is nearer to zero than to the next code is zero.
      const at = (i, j) => (Math.abs(weights[i * columns + j]) < 0.51 * edge.weights.step ? 0 : weights[i * columns + j]);
      return { ...edge, drawn: arrays.integers(edge.drawn), at };
    }),
    maps: { ...data.maps, rowOf: (population, neuron) => kept[population]?.get(neuron) ?? -1 },
    nodeName(group, i) {
      const { name, size, kind } = data.nodes[group];
      if (kind === "output") return this.outputNames[i] ?? `${name} ${i + 1}`;
      return kind === "input" && size === data.variables.length ? data.variables[i] : `${name} ${i + 1}`;
    },
  };
}

function populationOf(population, arrays) {
  const trains = arrays.trains(population.raster);
  const shown = arrays.integers(population.shown);
  const rows = new Map([...shown].map((neuron, row) => [neuron, row]));
  const made = { ...population, trains, shown, counts: arrays.integers(population.counts) };
  made.glow = (neuron, at, ticks) => glowOf(trains, rows.get(neuron) ?? -1, at, ticks);
  if (population.membranes) {
    const { neurons, values, low, span } = population.membranes;
    const kept = new Map([...arrays.integers(neurons)].map((neuron, row) => [neuron, row]));
    made.rowOf = (neuron) => kept.get(neuron) ?? -1;
    made.membrane = (neuron) => {
      const row = made.rowOf(neuron);
      return arrays.row(values, row).map((value) => low[row] + span[row] * value);
    };
  }
  return made;
}

// A neuron of the last population that fires now and then.
function liveliest(model, clock) {
  const place = model.populations.length - 1;
  const off = [...model.populations[place].counts].map((count) => Math.abs(count / clock.end - 0.25));
  return [place, off.indexOf(Math.min(...off))];
}

async function main() {
  const data = JSON.parse(byId("data").textContent);
  const model = modelOf(data, await Arrays.from(byId("arrays").textContent));
  const { decisions, ticks } = data.episode;
  beginTheme(byId("theme"));
  const clock = new Clock(decisions, ticks);
  const costliest = [...(data.lesions?.rows ?? [])].sort((a, b) => b.loss - a.loss)[0];
  const first = costliest?.loss > 0 ? [costliest.population, costliest.neurons[0]] : liveliest(model, clock);
  const choice = new Choice(...first);
  const scene = new Scene(byId("scene"), data.scene, (moment) => `The environment at decision ${moment}, return ${number(model.returns[moment])}`);
  const lanes = new Lanes(byId("lanes"), byId("cursor"), model, clock, choice);
  const player = new Player(model, clock, lanes, scene);
  const graph = new Graph(byId("graph"), model, clock, choice);
  const neuron = new Neuron(model, clock, choice, lanes);
  showLesions(model, choice);
  showMovement(model);
  showTraining(model);
  document.documentElement.classList.add("ready");
  window.inspection = { model, clock, choice, lanes, player, graph, neuron }; // for those who like the console
}

main().catch((error) => {
  const failure = byId("failure");
  failure.hidden = false;
  failure.textContent = `This page could not be drawn: ${error.message}. The tables below are complete; a newer browser may help.`;
  console.error(error);
});
