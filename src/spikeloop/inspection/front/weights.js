// How the weights moved: a picture of the change of each connection, before against after, and curves along training.

import { Curves, limits } from "./curves.js";
import { byId, colourOf, element, number, onTheme, prepare, tone } from "./theme.js";
import { matrixPicture, round } from "./neuron.js";

export function showMovement(model) {
  const box = byId("moved");
  onTheme(() => box.replaceChildren(...model.moved.map((connection) => figure(model, connection))));
}

function figure(model, connection) {
  const [rows, columns] = connection.change.shape;
  const change = model.arrays.floats(connection.change);
  const largest = change.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const picture = matrixPicture(change, rows, columns, largest);
  const name = `${model.nodes[connection.pre].name} → ${model.nodes[connection.post].name}`;
  picture.setAttribute("aria-label", `Change of the weights ${name}`);
  const each = connection.block.some((step) => step > 1) ? `means of blocks of ${connection.block.join(" × ")}; ` : "";
  const text = `rows send, columns receive; ${each}blue down, vermilion up, at most ${number(round(largest))}`;
  return element(
    "figure",
    {},
    element("h3", {}, name),
    element("div", { class: "two" }, element("div", { class: "frame" }, picture), scatter(model, connection)),
    element("figcaption", {}, text, element("br"), "right: each weight before (across) and after (up)"),
  );
}

function scatter(model, connection) {
  const canvas = element("canvas", { role: "img", "aria-label": "Weights before and after training" });
  const pairs = model.arrays.floats(connection.pairs);
  const count = connection.pairs.shape[1];
  const most = pairs.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) || 1;
  const size = 180;
  canvas.style.width = `${size}px`;
  const { context } = prepare(canvas, size, size);
  const at = (value) => size / 2 + (0.46 * size * value) / most;
  context.strokeStyle = tone("faint");
  context.lineWidth = 1;
  for (const line of [[0, size / 2, size, size / 2], [size / 2, 0, size / 2, size], [0, size, size, 0]]) {
    context.beginPath();
    context.moveTo(line[0], line[1]);
    context.lineTo(line[2], line[3]);
    context.stroke();
  }
  context.fillStyle = tone("accent");
  context.globalAlpha = count > 500 ? 0.35 : 0.7;
  for (let i = 0; i < count; i++) {
    context.beginPath();
    context.arc(at(pairs[i]), size - at(pairs[count + i]), 1.6, 0, 7);
    context.fill();
  }
  context.globalAlpha = 1;
  context.fillStyle = tone("muted");
  context.font = "10px system-ui, sans-serif";
  context.fillText(`±${number(round(most))}`, 4, 12);
  return canvas;
}

// Metrics of the seed along training; the broadcast signal first.
export function showTraining(model) {
  const box = byId("training");
  const { steps, curves, broadcast } = model.training;
  const names = Object.keys(curves).filter((name) => curves[name].some((value) => value !== null));
  if (steps.length < 2 || !names.length) return;
  const first = names.find((name) => broadcast.includes(name)) ?? names[0];
  const select = element("select", { id: "metric" }, ...names.map((name) => element("option", { value: name, selected: name === first }, broadcast.includes(name) ? `${name} (broadcast)` : name)));
  const plot = element("div", { class: "plot curve" });
  const foot = element("p", { class: "hint" });
  box.replaceChildren(element("h3", {}, "Along training ", element("label", {}, select)), plot, foot);
  let drawn;
  const draw = () => {
    if (!plot.clientWidth) return;
    drawn?.plot?.destroy();
    const values = curves[select.value];
    const known = steps.map((_, i) => i).filter((i) => values[i] !== null);
    const lines = [{ label: select.value, colour: colourOf(broadcast.includes(select.value) ? 1 : 0), values: known.map((i) => values[i]) }];
    drawn = new Curves(plot, { ticks: known.map((i) => steps[i]), lines, height: 150, range: limits(lines.map((line) => line.values)) });
    drawn.draw({ start: steps[0], end: steps[steps.length - 1] }, plot.clientWidth);
    foot.textContent = `${select.value}, mean of each recording, from ${number(steps[0])} to ${number(steps[steps.length - 1])} environment steps`;
  };
  select.addEventListener("change", draw);
  new ResizeObserver(draw).observe(plot);
  onTheme(draw);
}
