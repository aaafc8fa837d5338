// The network as a graph: a column for each group of nodes, lit as neurons fire; the strongest edges by sign and size.

import { firstAtLeast } from "./arrays.js";
import { byId, css, diverging, element, mix, onTheme, prepare, tone } from "./theme.js";

export class Graph {
  constructor(canvas, model, clock, choice) {
    Object.assign(this, { canvas, model, clock, choice });
    this.tip = element("div", { class: "tip", hidden: true });
    canvas.after(this.tip);
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.hover(event));
    canvas.addEventListener("pointerleave", () => (this.tip.hidden = true));
    canvas.addEventListener("keydown", (event) => this.key(event));
    clock.onChange(() => this.schedule());
    choice.onChange(() => {
      this.still = undefined;
      this.schedule();
    });
    new ResizeObserver(() => {
      this.still = undefined;
      this.schedule();
    }).observe(canvas.parentElement);
    onTheme(() => {
      this.still = undefined;
      this.schedule();
    });
    byId("graphnote").textContent = this.legend();
  }

  legend() {
    const { edges } = this.model;
    if (!edges.length) return "The inside of this policy is not known; its populations light up as they fire.";
    const drawn = edges.reduce((sum, edge) => sum + edge.drawn.length, 0);
    const all = edges.reduce((sum, edge) => sum + edge.weights.shape[0] * edge.weights.shape[1], 0);
    const which = drawn < all ? `The ${drawn} strongest of ${all} edges` : `All ${all} edges`;
    return `${which}: vermilion excites, blue inhibits, the wider the stronger (in each connection by itself). Nodes light up in the tick at the cursor and fade over a decision.`;
  }

  schedule() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  // Places of all nodes: a group is a block of one or more columns.
  layout(width, height) {
    const { nodes } = this.model;
    const top = 34;
    const room = height - top - 14;
    const shapes = nodes.map(({ size }) => {
      const columns = Math.max(1, Math.ceil(Math.sqrt((size * 0.42 * (width / nodes.length)) / room / 1) * (size > 24 ? 1 : 0)));
      return { columns, rows: Math.ceil(size / columns) };
    });
    const slot = width / nodes.length;
    this.places = nodes.map(({ size }, group) => {
      const { columns, rows } = shapes[group];
      const step = Math.min(26, room / rows, columns > 1 ? (0.62 * slot) / columns : 26);
      const radius = Math.max(1, Math.min(7, 0.38 * step));
      const [x0, y0] = [slot * (group + 0.5) - ((columns - 1) * step) / 2, top + room / 2 - ((rows - 1) * step) / 2];
      const xs = new Float32Array(size);
      const ys = new Float32Array(size);
      for (let i = 0; i < size; i++) {
        xs[i] = x0 + Math.floor(i / rows) * step;
        ys[i] = y0 + (i % rows) * step;
      }
      return { xs, ys, radius, middle: slot * (group + 0.5), slot };
    });
  }

  edge(context, from, to, i, j) {
    const [x1, y1, x2, y2] = [from.xs[i], from.ys[i], to.xs[j], to.ys[j]];
    context.beginPath();
    context.moveTo(x1, y1);
    if (to.middle > from.middle) {
      const bend = 0.45 * (x2 - x1);
      context.bezierCurveTo(x1 + bend, y1, x2 - bend, y2, x2, y2);
    } else {
      const lift = 24 + 0.25 * Math.abs(x2 - x1);
      context.bezierCurveTo(x1 + lift, y1 - lift, x2 - lift, y2 - lift, x2, y2);
    }
    context.stroke();
  }

  // Edges and names, which do not change from tick to tick.
  background(width, height) {
    const { model, choice } = this;
    const canvas = element("canvas");
    const { context } = prepare(canvas, width, height);
    this.layout(width, height);
    const chosen = model.populations[choice.population]?.node;
    for (const edge of model.edges) {
      const columns = edge.weights.shape[1];
      const [from, to] = [this.places[edge.pre], this.places[edge.post]];
      const touches = edge.pre === chosen || edge.post === chosen;
      const order = [...edge.drawn].reverse(); // the strongest on top
      for (const flat of order) {
        const [i, j] = [Math.floor(flat / columns), flat % columns];
        const share = edge.at(i, j) / (edge.largest || 1);
        context.strokeStyle = css(mix(tone("paper"), share < 0 ? "#0072b2" : "#d55e00", 0.95), (touches ? 0.1 : 0.16) + 0.34 * Math.abs(share) ** 1.5);
        context.lineWidth = 0.4 + 1.6 * Math.abs(share) ** 1.5;
        this.edge(context, from, to, i, j);
      }
    }
    for (const edge of model.edges) this.own(context, edge, chosen);
    context.textAlign = "center";
    for (const [group, { name, size }] of model.nodes.entries()) {
      context.font = "600 12px system-ui, sans-serif";
      context.fillStyle = tone("ink");
      const { middle, slot } = this.places[group];
      context.fillText(fitted(context, name, slot - 8), middle, 12);
      context.font = "11px system-ui, sans-serif";
      context.fillStyle = tone("muted");
      context.fillText(`${size}`, middle, 26);
    }
    return canvas;
  }

  // The strongest edges of the chosen neuron, all the way.
  own(context, edge, chosen) {
    const { neuron } = this.choice;
    const [rows, columns] = edge.weights.shape;
    const found = [];
    if (edge.post === chosen) for (let i = 0; i < rows; i++) found.push([i, neuron, edge.at(i, neuron)]);
    if (edge.pre === chosen) for (let j = 0; j < columns; j++) found.push([neuron, j, edge.at(neuron, j)]);
    found.sort((a, b) => Math.abs(a[2]) - Math.abs(b[2]));
    for (const [i, j, weight] of found.slice(-60)) {
      if (!weight) continue;
      const share = Math.abs(weight) / (edge.largest || 1);
      context.strokeStyle = css(mix("#000000", weight < 0 ? "#0072b2" : "#d55e00", 1), 0.25 + 0.75 * share);
      context.lineWidth = 0.6 + 2.4 * share;
      this.edge(context, this.places[edge.pre], this.places[edge.post], i, j);
    }
  }

  draw() {
    const width = this.canvas.parentElement.clientWidth;
    const height = width < 520 ? 380 : 480;
    if (!width) return;
    const { context } = prepare(this.canvas, width, height);
    if (!this.still) this.still = this.background(width, height);
    context.clearRect(0, 0, width, height);
    context.drawImage(this.still, 0, 0, width, height);
    const { model, clock, choice } = this;
    for (const [group, { kind }] of model.nodes.entries()) {
      if (kind !== "population") this.values(context, group, kind);
    }
    const idle = tone("idle");
    const outline = tone("muted");
    for (const [index, population] of model.populations.entries()) {
      const { xs, ys, radius } = this.places[population.node];
      for (let neuron = 0; neuron < population.size; neuron++) {
        const glow = population.glow(neuron, clock.at, clock.ticks);
        const chosen = choice.population === index && choice.neuron === neuron;
        context.fillStyle = glow > 0.02 ? css(mix(idle, population.colour, glow)) : idle;
        disc(context, xs[neuron], ys[neuron], radius * (1 + 0.5 * glow));
        if (radius > 3) {
          context.strokeStyle = outline;
          context.lineWidth = 0.5;
          context.stroke();
        }
        if (chosen) {
          context.strokeStyle = tone("ink");
          context.lineWidth = 2;
          disc(context, xs[neuron], ys[neuron], radius + 3, false);
        }
      }
    }
  }

  // Inputs by what is observed, outputs by their evidence.
  values(context, group, kind) {
    const { model, clock } = this;
    const { xs, ys, radius } = this.places[group];
    const at = Math.min(clock.at, clock.end - 1);
    const direct = kind === "input" && xs.length === model.variableNames.length;
    for (let i = 0; i < xs.length; i++) {
      let share = 0;
      if (direct) share = model.observations[i][clock.moment] / (model.observationSizes[i] || 1);
      else if (kind === "output" && model.evidence[i]) {
        const [low, high] = model.outputRange;
        share = Math.max(0, Math.min(1, (model.evidence[i][at] - low) / (high - low || 1)));
      }
      context.fillStyle = Number.isFinite(share) && share ? css(diverging(share)) : tone("idle");
      disc(context, xs[i], ys[i], radius);
      context.strokeStyle = tone("muted");
      context.lineWidth = 0.75;
      context.stroke();
      const names = kind === "output" ? model.outputNames : direct ? model.variableNames : [];
      if (names[i] && xs.length <= 12) {
        context.font = "11px system-ui, sans-serif";
        context.fillStyle = tone("ink");
        context.textAlign = kind === "output" ? "left" : "right";
        const room = this.places[group].slot / 2 - radius - 6;
        context.fillText(fitted(context, names[i], room), xs[i] + (kind === "output" ? radius + 5 : -radius - 5), ys[i] + 4);
      }
      if (kind === "output" && !model.continuous && clock.moment < clock.decisions && model.actions[clock.moment] === i) {
        context.strokeStyle = tone("ink");
        context.lineWidth = 1.75;
        disc(context, xs[i], ys[i], radius + 3, false);
      }
    }
  }

  // The neuron nearest to a place, if one is near.
  nearest(x, y) {
    let best = { distance: 14 };
    for (const [index, population] of this.model.populations.entries()) {
      const { xs, ys } = this.places?.[population.node] ?? { xs: [], ys: [] };
      for (let neuron = 0; neuron < xs.length; neuron++) {
        const distance = Math.hypot(xs[neuron] - x, ys[neuron] - y);
        if (distance < best.distance) best = { distance, index, neuron };
      }
    }
    return best.index === undefined ? null : best;
  }

  press(event) {
    const found = this.nearest(event.offsetX, event.offsetY);
    if (found) this.choice.choose(found.index, found.neuron);
  }

  hover(event) {
    const found = this.nearest(event.offsetX, event.offsetY);
    this.canvas.style.cursor = found ? "pointer" : "";
    this.tip.hidden = !found;
    if (!found) return;
    const population = this.model.populations[found.index];
    this.tip.textContent = `${population.name}, neuron ${found.neuron + 1}: ${population.counts[found.neuron]} spikes in the episode`;
    this.tip.style.left = `${Math.min(event.offsetX + 12, this.canvas.clientWidth - 180)}px`;
    this.tip.style.top = `${event.offsetY + 14}px`;
  }

  key(event) {
    const { choice, model } = this;
    const [across, along] = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key] ?? [];
    if (across === undefined) return;
    event.preventDefault();
    const population = Math.max(0, Math.min(model.populations.length - 1, choice.population + across));
    const size = model.populations[population].size;
    choice.choose(population, Math.max(0, Math.min(size - 1, choice.neuron + along)));
  }
}

// How brightly a neuron glows at a tick: 1 as it fires, fading over a decision.
export function glowOf(trains, row, at, ticks) {
  if (row < 0) return 0;
  const { starts, times } = trains;
  const place = firstAtLeast(times, at + 1, starts[row], starts[row + 1]) - 1;
  if (place < starts[row]) return 0;
  return Math.exp(-(at - times[place]) / (0.5 * ticks));
}

function disc(context, x, y, radius, fill = true) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  if (fill) context.fill();
  else context.stroke();
}

function fitted(context, text, room) {
  if (context.measureText(text).width <= room) return text;
  while (text.length > 1 && context.measureText(`${text}…`).width > room) text = text.slice(0, -1);
  return `${text}…`;
}
