// The player: buttons, slider, keys, the overview of the whole episode, and the numbers at the cursor.

import { byId, colourOf, css, element, mix, number, onTheme, prepare, tone } from "./theme.js";

const SPEEDS = [0.5, 1, 2, 5, 10, 25, 50, 100];
const SPANS = [5, 10, 20, 40, 100, 250];

export class Player {
  constructor(model, clock, lanes, scene) {
    Object.assign(this, { model, clock, lanes, scene });
    const scrub = byId("scrub");
    scrub.max = clock.end;
    this.buttons();
    scrub.addEventListener("input", () => clock.go(Number(scrub.value)));
    const speed = byId("speed");
    speed.append(...SPEEDS.map((value) => element("option", { value, selected: value === clock.speed }, `${value} / s`)));
    speed.addEventListener("change", () => (clock.speed = Number(speed.value)));
    const span = byId("span");
    const spans = [...new Set([...SPANS, lanes.span].filter((value) => value < clock.decisions))].sort((a, b) => a - b);
    span.append(...spans.map((value) => element("option", { value, selected: value === lanes.span }, `${value} decisions`)));
    span.append(element("option", { value: clock.decisions, selected: lanes.span >= clock.decisions }, "all"));
    span.addEventListener("change", () => {
      lanes.span = Number(span.value);
      this.overview();
      lanes.draw();
    });
    document.addEventListener("keydown", (event) => this.key(event));
    this.readout();
    const overview = byId("overview");
    const seek = (event) => clock.go(((event.offsetX / overview.clientWidth) * clock.end) | 0);
    overview.addEventListener("pointerdown", (event) => {
      overview.setPointerCapture(event.pointerId);
      seek(event);
    });
    overview.addEventListener("pointermove", (event) => event.buttons && seek(event));
    new ResizeObserver(() => {
      this.still = undefined;
      this.overview();
    }).observe(overview);
    onTheme(() => {
      this.still = undefined;
      this.overview();
    });
    clock.onChange(() => this.update());
    this.update();
  }

  buttons() {
    const { clock } = this;
    byId("play").addEventListener("click", () => clock.toggle());
    byId("first").addEventListener("click", () => clock.go(0));
    byId("last").addEventListener("click", () => clock.go(clock.end));
    byId("back").addEventListener("click", () => clock.step(-1));
    byId("forward").addEventListener("click", () => clock.step(1));
  }

  key(event) {
    const { clock } = this;
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || target.id === "graph") return;
    if (target.closest?.("select, textarea, input:not([type=range])")) return;
    const presses = target.closest?.("button, summary, a");
    const keys = {
      ArrowLeft: () => (event.shiftKey ? clock.go(clock.at - 1) : clock.step(-1)),
      ArrowRight: () => (event.shiftKey ? clock.go(clock.at + 1) : clock.step(1)),
      Home: () => clock.go(0),
      End: () => clock.go(clock.end),
      ...(presses ? {} : { " ": () => clock.toggle() }),
    };
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  }

  readout() {
    const { model } = this;
    const rows = model.variableNames.slice(0, 12).map((name) => {
      const value = element("dd");
      return { value, nodes: [element("dt", {}, name), value] };
    });
    this.seen = rows.map((row) => row.value);
    const more = model.variableNames.length - rows.length;
    this.bars = model.outputNames.map((name, i) => {
      const bar = element("i", { style: `--chip:${colourOf(i)}` });
      const value = element("b");
      return { bar, value, row: element("div", { class: "bar" }, element("span", {}, name), element("em", {}, bar), value) };
    });
    this.score = element("b");
    byId("readout").replaceChildren(
      element("p", { class: "score" }, "return so far ", this.score),
      element("dl", {}, ...rows.flatMap((row) => row.nodes)),
      more > 0 ? element("p", { class: "hint" }, `and ${more} more variables`) : "",
      element("div", { class: "bars" }, ...this.bars.map((bar) => bar.row)),
    );
  }

  update() {
    const { clock, model } = this;
    const moment = clock.moment;
    const decision = Math.min(moment, clock.decisions - 1);
    this.scene.show(moment);
    const scrub = byId("scrub");
    scrub.value = clock.at;
    const over = moment === clock.decisions;
    const tick = (clock.at % clock.ticks) + 1;
    const clockText = over ? `the end: ${model.end}` : clock.ticks > 1 ? `decision ${moment}, tick ${tick} of ${clock.ticks}` : `decision ${moment}`;
    byId("clock").textContent = clockText;
    scrub.setAttribute("aria-valuetext", clockText);
    const play = byId("play");
    play.setAttribute("aria-pressed", clock.playing);
    play.textContent = clock.playing ? "❚❚ Pause" : "▶ Play";
    this.score.textContent = number(Math.round(1000 * model.returns[moment]) / 1000);
    this.seen.forEach((node, i) => (node.textContent = number(model.observations[i][moment])));
    const [low, high] = model.outputRange;
    const at = Math.min(clock.at, clock.end - 1);
    for (const [i, { bar, value, row }] of this.bars.entries()) {
      const now = model.evidence[i][at];
      bar.style.width = `${Number.isFinite(now) ? Math.max(0, Math.min(100, (100 * (now - low)) / (high - low || 1))) : 0}%`;
      value.textContent = number(now);
      row.classList.toggle("taken", !model.continuous && !over && model.actions[decision] === i);
    }
    this.overview();
  }

  // All spikes of each decision as bars, the return as a line; what is in view is framed.
  overview() {
    const canvas = byId("overview");
    const [width, height] = [canvas.clientWidth, 44];
    if (!width) return;
    const { context } = prepare(canvas, width, height);
    if (!this.still) this.still = this.background(width, height);
    context.clearRect(0, 0, width, height);
    context.drawImage(this.still, 0, 0, width, height);
    const { clock, lanes } = this;
    const view = lanes.view;
    context.fillStyle = css(mix(tone("paper"), tone("accent"), 0.9), 0.14);
    context.fillRect((view.start / clock.end) * width, 0, ((view.end - view.start) / clock.end) * width, height);
    context.fillStyle = tone("accent");
    context.fillRect(Math.min(width - 2, (clock.at / clock.end) * width), 0, 2, height);
  }

  background(width, height) {
    const { model, clock } = this;
    const canvas = element("canvas");
    const { context } = prepare(canvas, width, height);
    context.fillStyle = tone("sunken");
    context.fillRect(0, 0, width, height);
    const most = Math.max(1, ...model.activity);
    context.fillStyle = tone("bars");
    for (let x = 0; x < width; x++) {
      const first = Math.floor((x / width) * clock.decisions);
      const last = Math.max(first + 1, Math.floor(((x + 1) / width) * clock.decisions));
      let largest = 0;
      for (let decision = first; decision < last; decision++) largest = Math.max(largest, model.activity[decision] ?? 0);
      const tall = (largest / most) * (height - 6);
      context.fillRect(x, height - tall, 1, tall);
    }
    const [low, high] = [Math.min(...model.returns), Math.max(...model.returns)];
    context.strokeStyle = tone("green");
    context.lineWidth = 1.5;
    context.beginPath();
    model.returns.forEach((value, i) => {
      const y = height - 4 - ((value - low) / (high - low || 1)) * (height - 8);
      context.lineTo((i / clock.decisions) * width, y);
    });
    context.stroke();
    return canvas;
  }
}
