// The lanes beneath the world, all on one time axis: rasters, potentials, evidence, actions, rewards.

import { Curves, GUTTER, MARGIN } from "./curves.js";
import { Raster } from "./raster.js";
import { colourOf, element, number, onTheme, prepare, tone } from "./theme.js";

const RASTERS = 340; // height of all rasters together, CSS pixels
const MOST_FOLLOWED = 6;

export class Lanes {
  constructor(parent, line, model, clock, choice) {
    Object.assign(this, { parent, line, model, clock, choice });
    this.span = Math.min(clock.decisions, clock.ticks > 30 ? 10 : 40); // decisions in view
    this.followed = [];
    this.parts = [];
    this.rasters();
    this.potentials();
    this.evidence();
    this.actions();
    this.rewards();
    this.axis();
    parent.addEventListener("pointerdown", (event) => this.press(event));
    clock.onChange(() => this.draw());
    choice.onChange(() => this.mark());
    new ResizeObserver(() => this.draw()).observe(parent);
    this.mark();
    onTheme(() => {
      for (const part of this.parts) if (part.curves) part.curves.width = undefined;
      this.draw();
    });
  }

  // What is in view, in ticks: the cursor at two thirds once the episode has come so far.
  get view() {
    const { ticks, decisions, at } = this.clock;
    const span = Math.min(this.span, decisions) * ticks;
    const start = Math.max(0, Math.min(decisions * ticks - span, at - Math.round(0.66 * span)));
    return { start, end: start + span };
  }

  lane(name, note, content) {
    const lane = element("div", { class: "lane" }, element("h3", {}, name, note ? element("small", {}, note) : ""), content);
    this.parent.append(lane);
    return lane;
  }

  rasters() {
    const { populations } = this.model;
    const share = RASTERS / populations.length;
    for (const [index, population] of populations.entries()) {
      const rows = population.trains.rows;
      const height = Math.round(Math.max(24, Math.min(share, rows * 12)));
      const canvas = element("canvas", { class: "strip", role: "img", "data-population": index });
      canvas.setAttribute("aria-label", `Spikes of ${population.name}`);
      const note = rows < population.size ? `${rows} most active of ${population.size} neurons` : `${population.size} neuron${population.size > 1 ? "s" : ""}`;
      this.lane(population.name, note, canvas);
      this.parts.push({ raster: new Raster(canvas, population, height), index });
      canvas.addEventListener("pointermove", (event) => {
        const row = this.parts[index].raster.rowAt(event.offsetY);
        canvas.title = `${population.name}, neuron ${population.shown[row] + 1}`;
      });
    }
  }

  potentials() {
    const { populations } = this.model;
    if (!populations.some((population) => population.membranes)) return;
    const box = element("div", { class: "plot" });
    this.chips = element("div", { class: "chips" });
    const lane = this.lane("potential", "of neurons that were clicked", element("div", {}, this.chips, box));
    lane.classList.add("potential");
    this.membraneBox = box;
    const most = populations
      .flatMap((population, place) => [...population.counts].map((count, neuron) => ({ count, place, neuron })))
      .filter(({ place, neuron }) => populations[place].rowOf?.(neuron) >= 0)
      // Neurons that fire now and then have more to show than those that always do.
      .sort((a, b) => Math.abs(a.count / this.clock.end - 0.25) - Math.abs(b.count / this.clock.end - 0.25));
    this.parts.push((this.membranes = {}));
    for (const { place, neuron } of most.slice(0, 2)) this.follow(place, neuron, false);
    this.rebuild();
  }

  // Show a neuron's potential too, or leave it out again.
  follow(place, neuron, draw = true) {
    if (!this.membranes || !(this.model.populations[place].rowOf?.(neuron) >= 0)) return false;
    const at = this.followed.findIndex((one) => one.place === place && one.neuron === neuron);
    if (at >= 0) this.followed.splice(at, 1);
    else this.followed.push({ place, neuron });
    if (this.followed.length > MOST_FOLLOWED) this.followed.shift();
    if (draw) this.rebuild();
    return true;
  }

  rebuild() {
    const { populations, ticks } = this.model;
    const lines = this.followed.map(({ place, neuron }, i) => ({
      label: `${populations[place].name} ${neuron + 1}`,
      colour: colourOf(i),
      values: populations[place].membrane(neuron),
    }));
    this.chips.replaceChildren(
      ...this.followed.map(({ place, neuron }, i) =>
        element(
          "button",
          { type: "button", class: "chip", style: `--chip:${colourOf(i)}`, title: "leave out", onclick: () => this.follow(place, neuron) },
          `${lines[i].label} ×`,
        ),
      ),
    );
    this.membranes.curves?.plot?.destroy();
    this.membranes.curves = lines.length ? new Curves(this.membraneBox, { ticks, lines, height: 110 }) : undefined;
    if (this.parent.clientWidth) this.draw();
  }

  evidence() {
    const { model } = this;
    const { ticks, outputNames } = model;
    // Thin: what the decoder reads after each tick. Bold: what the decision was made on.
    const thin = model.evidence.map((values, i) => ({ label: outputNames[i], colour: `${colourOf(i)}88`, values, width: 1 }));
    const bold = model.outputLines.map((values, i) => ({ label: outputNames[i], colour: colourOf(i), values, width: 2, stepped: -1 }));
    const held = bold.map((line, i) => ({ ...line, values: model.heldOutputs[i], stepped: 1 }));
    const lines = model.perDecision > 1 ? [...thin, ...bold] : held;
    const box = element("div", { class: "plot" });
    const keys = outputNames.map((name, i) => element("span", { class: "key", style: `--chip:${colourOf(i)}` }, name));
    const lane = this.lane("evidence", model.perDecision > 1 ? "thin: tick by tick; bold: decided on" : "what is decided on", element("div", {}, element("div", { class: "chips" }, ...keys), box));
    lane.classList.add("evidence");
    this.parts.push({ curves: new Curves(box, { ticks: model.perDecision > 1 ? ticks : model.decisionTicks, lines, height: 130 }) });
  }

  actions() {
    const { model } = this;
    const box = element("div", { class: "plot" });
    if (model.continuous) {
      const lines = model.actionRows.map((values, i) => ({ label: model.actionNames[i], colour: colourOf(i), values }));
      this.lane("action", "", box);
      this.parts.push({ curves: new Curves(box, { ticks: model.decisionTicks, lines, height: 90, stepped: true }) });
      return;
    }
    const canvas = element("canvas", { class: "strip", role: "img", "aria-label": "The action of every decision" });
    const lane = this.lane("action", "", canvas);
    const height = Math.max(18, Math.min(90, 14 * model.actionNames.length));
    if (height / model.actionNames.length >= 10) {
      const names = model.actionNames.map((name, i) => element("span", { style: `--chip:${colourOf(i)}` }, name));
      lane.append(element("div", { class: "names", style: `height:${height}px`, "aria-hidden": "true" }, ...names));
    }
    this.parts.push({ paint: (view, width) => this.paintActions(canvas, view, width, height) });
  }

  paintActions(canvas, view, width, height) {
    const { model, clock } = this;
    const { context } = prepare(canvas, width, height);
    const rows = model.actionNames.length;
    const row = height / rows;
    context.fillStyle = tone("sunken");
    context.fillRect(0, 0, width, height);
    const perTick = width / (view.end - view.start);
    const first = Math.floor(view.start / clock.ticks);
    const last = Math.min(clock.decisions, Math.ceil(view.end / clock.ticks));
    for (let decision = first; decision < last; decision++) {
      const action = model.actions[decision];
      const left = (decision * clock.ticks - view.start) * perTick;
      context.fillStyle = colourOf(action);
      context.fillRect(left, action * row + 1, Math.max(1, clock.ticks * perTick - (clock.ticks * perTick > 4 ? 1 : 0)), row - 1);
    }
  }

  rewards() {
    const { model } = this;
    const box = element("div", { class: "plot" });
    this.lane("reward", "", box);
    const lines = [{ label: "reward", colour: tone("green"), values: model.rewardLine, width: 1.5 }];
    this.parts.push({ curves: new Curves(box, { ticks: model.decisionTicks, lines, height: 64, stepped: true }) });
  }

  axis() {
    const canvas = element("canvas", { class: "strip axis", "aria-hidden": "true" });
    this.lane("decision", "", canvas);
    this.parts.push({ paint: (view, width) => this.paintAxis(canvas, view, width) });
  }

  paintAxis(canvas, view, width) {
    const { context } = prepare(canvas, width, 22);
    context.clearRect(0, 0, width, 22);
    context.font = "11px system-ui, sans-serif";
    context.textAlign = "center";
    context.fillStyle = tone("muted");
    const { ticks } = this.clock;
    const [first, last] = [view.start / ticks, view.end / ticks];
    const every = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000].find((step) => (last - first) / step <= Math.max(2, width / 70)) ?? 1000;
    for (let decision = Math.ceil(first / every) * every; decision <= last; decision += every) {
      const x = ((decision - first) / (last - first)) * width;
      context.fillRect(Math.min(width - 1, x), 0, 1, 4);
      context.fillText(`${decision}`, Math.max(8, Math.min(width - 12, x)), 16);
    }
  }

  mark() {
    for (const { raster, index } of this.parts) {
      if (!raster) continue;
      const { population, neuron } = this.choice;
      raster.chosen = population === index ? raster.population.shown.indexOf(neuron) : -1;
    }
    this.draw();
  }

  press(event) {
    if (event.target.closest("button")) return;
    const box = this.parent.getBoundingClientRect();
    const x = event.clientX - box.left - GUTTER;
    const width = box.width - GUTTER - MARGIN;
    const place = event.target.dataset?.population;
    if (place !== undefined) {
      const { raster } = this.parts[place];
      const neuron = raster.population.shown[raster.rowAt(event.offsetY)];
      this.choice.choose(Number(place), neuron);
      const already = this.followed.some((one) => one.place === Number(place) && one.neuron === neuron);
      if (!already) this.follow(Number(place), neuron);
    }
    if (x < 0) return;
    const view = this.view;
    this.clock.go(Math.floor(view.start + (Math.min(width, x) / width) * (view.end - view.start)));
  }

  draw() {
    const whole = this.parent.clientWidth;
    const width = whole - GUTTER - MARGIN;
    if (width < 40) return;
    const view = this.view;
    for (const { raster, curves, paint } of this.parts) {
      raster?.draw(view, width);
      curves?.draw(view, whole);
      paint?.(view, width);
    }
    const at = GUTTER + ((this.clock.at - view.start) / (view.end - view.start)) * width;
    this.line.style.transform = `translateX(${Math.min(whole - MARGIN, at)}px)`;
    this.line.title = `decision ${number(this.clock.moment)}`;
  }
}
