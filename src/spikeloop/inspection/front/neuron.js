// The chosen neuron: what it does, what it is tuned to, what drives it, and what becomes of the policy without it.

import { byId, css, divergingTable, element, number, onTheme, prepare, shades, tone } from "./theme.js";

const SHOWN = 12; // of its strongest weights, either way

export class Neuron {
  constructor(model, clock, choice, lanes) {
    Object.assign(this, { model, clock, choice, lanes });
    const population = byId("population");
    population.append(...model.populations.map((one, i) => element("option", { value: i }, one.name)));
    population.addEventListener("change", () => choice.choose(Number(population.value), 0));
    const field = byId("neuron");
    field.addEventListener("change", () => {
      const size = model.populations[choice.population].size;
      choice.choose(choice.population, Math.max(1, Math.min(size, Math.round(Number(field.value)) || 1)) - 1);
    });
    byId("follow").addEventListener("click", () => lanes.follow(choice.population, choice.neuron));
    this.axes();
    choice.onChange(() => this.show());
    clock.onChange(() => this.dot());
    new ResizeObserver(() => this.tuning()).observe(byId("tuning").parentElement);
    onTheme(() => this.tuning());
    this.show();
  }

  axes() {
    const { maps, variableNames } = this.model;
    const [across, upward] = [byId("across"), byId("upward")];
    for (const [select, chosen] of [[across, maps.start[0]], [upward, maps.start.at(-1)]]) {
      select.append(...maps.variables.map((variable, i) => element("option", { value: i, selected: i === chosen }, variableNames[variable])));
      select.addEventListener("change", () => this.tuning());
    }
    for (const select of [across, upward]) select.closest("label").hidden = maps.variables.length < 2 && select === upward;
  }

  show() {
    const { model, choice } = this;
    const population = model.populations[choice.population];
    byId("population").value = choice.population;
    const field = byId("neuron");
    field.max = population.size;
    field.value = choice.neuron + 1;
    byId("follow").disabled = !(population.rowOf?.(choice.neuron) >= 0);
    const count = population.counts[choice.neuron];
    const rate = count / this.clock.end;
    byId("about-neuron").replaceChildren(
      element("h3", {}, `${population.name}, neuron ${choice.neuron + 1}`),
      element("p", {}, `${count} spikes in the episode, ${number(rate)} a tick. `, ...this.lesion()),
    );
    this.weights();
    this.tuning();
  }

  // What the policy is worth without it.
  lesion() {
    const { lesions, populations, actionNames } = this.model;
    const { population, neuron } = this.choice;
    if (!lesions) return ["No lesion was played."];
    const row = lesions.rows.find((one) => one.population === population && one.neurons.includes(neuron));
    if (!row) return [`Silenced: nothing changes, for it never fired in the ${lesions.episodes} episodes of the lesions.`];
    const who = row.neurons.length > 1 ? `Silenced together with ${row.neurons.length - 1} others of ${populations[population].name}` : "Silenced";
    const [low, high] = row.interval;
    const parts = [
      `${who}: return `,
      element("b", {}, `${number(round(row.mean))} [${number(round(low))}, ${number(round(high))}]`),
      `, intact ${number(round(lesions.intact.mean))}; `,
      row.matters ? "the difference is beyond chance. " : "no difference beyond chance. ",
    ];
    if (row.changed !== null) {
      const often = row.frequencies.map((share, i) => `${actionNames[i] ?? i + 1} ${Math.round(100 * share)} %`).join(", ");
      parts.push(`It changes ${Math.round(100 * row.changed)} % of decisions; the actions are then ${often}.`);
    } else parts.push(`It changes the outputs by ${number(row.outputChange)} on average.`);
    return parts;
  }

  weights() {
    const { model, choice } = this;
    const node = model.populations[choice.population].node;
    const sides = { incoming: [], outgoing: [] };
    for (const edge of model.edges) {
      const [rows, columns] = edge.weights.shape;
      if (edge.post === node) {
        for (let i = 0; i < rows; i++) sides.incoming.push({ name: model.nodeName(edge.pre, i), weight: edge.at(i, choice.neuron), go: [edge.pre, i] });
      }
      if (edge.pre === node) {
        for (let j = 0; j < columns; j++) sides.outgoing.push({ name: model.nodeName(edge.post, j), weight: edge.at(choice.neuron, j), go: [edge.post, j] });
      }
    }
    const boxes = Object.entries(sides).map(([side, all]) => {
      const found = all.filter((one) => one.weight).sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
      const largest = Math.abs(found[0]?.weight ?? 1);
      const rows = found.slice(0, SHOWN).map(({ name, weight, go }) => {
        const width = `${(50 * Math.abs(weight)) / largest}%`;
        const bar = element("i", { class: weight < 0 ? "minus" : "plus", style: `width:${width}` });
        const place = model.populations.findIndex((one) => one.node === go[0]);
        const label = place < 0 ? element("span", {}, name) : element("button", { type: "button", class: "link", onclick: () => choice.choose(place, go[1]) }, name);
        return element("div", { class: "weight" }, label, element("em", {}, bar), element("b", {}, number(round(weight))));
      });
      const kept = model.edges.every((edge) => edge.whole) ? "" : " that are kept";
      const note = found.length > SHOWN ? ` (the ${SHOWN} strongest of ${found.length}${kept})` : "";
      return found.length ? element("div", {}, element("h4", {}, `${side} weights${note}`), ...rows) : "";
    });
    byId("inputs-of").replaceChildren(...boxes);
  }

  // The map of the two chosen variables, the first across.
  tuning() {
    const { model, choice } = this;
    const { maps, populations, variableNames } = model;
    const [across, up] = [Number(byId("across").value), Number(byId("upward").value)];
    const canvas = byId("tuning");
    const note = byId("tuningnote");
    const row = maps.rowOf(choice.population, choice.neuron);
    const pair = maps.pairs.find(({ first, second }) => (first === across && second === up) || (first === up && second === across));
    if (row < 0 || !pair) {
      canvas.hidden = true;
      this.area = undefined;
      note.textContent = pair ? "This neuron fires too seldom to have a tuning map here." : "Choose two different variables.";
      return;
    }
    canvas.hidden = false;
    const cells = model.arrays.floats(pair.neurons[choice.population]);
    const [, tall, wide] = pair.neurons[choice.population].shape;
    const values = cells.subarray(row * tall * wide, (row + 1) * tall * wide);
    const turned = maps.variables.length > 1 && pair.first === across;
    const [columns, rows] = turned ? [tall, wide] : [wide, tall];
    const [horizontal, vertical] = maps.variables.length > 1 ? [maps.values[across], maps.values[up]] : [maps.values[0], [0]];
    const [least, largest] = [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), 0)];
    const shade = (value) => (largest > least ? Math.round((255 * (value - least)) / (largest - least)) : largest ? 96 : 0);
    const table = shades(populations[choice.population].colour);
    const width = canvas.parentElement.clientWidth;
    const height = rows > 1 ? 250 : 110;
    const area = { left: 56, top: 8, width: width - 66, height: height - 44, horizontal, vertical, across, up };
    this.still = element("canvas");
    const { context } = prepare(this.still, width, height);
    const [cellWide, cellTall] = [area.width / columns, area.height / rows];
    for (let x = 0; x < columns; x++) {
      for (let y = 0; y < rows; y++) {
        const value = turned ? values[x * wide + y] : values[y * wide + x];
        context.fillStyle = css(table[shade(value)]);
        context.fillRect(area.left + x * cellWide, area.top + area.height - (y + 1) * cellTall, cellWide + 0.6, cellTall + 0.6);
      }
    }
    this.way(context, area);
    labels(context, area, variableNames[maps.variables[across]], rows > 1 ? variableNames[maps.variables[up]] : "");
    this.area = area;
    this.size = [width, height];
    const others = variableNames.length - Math.min(2, maps.variables.length);
    const held = others > 0 ? " The other variables are at their medians." : "";
    note.textContent = largest
      ? `Spikes in one decision from rest: ${largest > least ? `${number(round(least))} (pale) to ${number(round(largest))} (dark)` : `${number(round(largest))} everywhere`}.${held} The line is the way of the episode, the ring the cursor.`
      : `It is silent all over this map.${held}`;
    this.dot();
  }

  place(area, moment) {
    const { model } = this;
    const seen = (which) => model.observations[model.maps.variables[which]][moment];
    const share = (values, value) => {
      const step = values.length > 1 ? (values[values.length - 1] - values[0]) / (values.length - 1) : 1;
      return (value - (values[0] - step / 2)) / (step * values.length);
    };
    const x = area.left + area.width * share(area.horizontal, seen(area.across));
    const y = area.vertical.length > 1 ? area.top + area.height * (1 - share(area.vertical, seen(area.up))) : area.top + area.height / 2;
    return [x, y];
  }

  way(context, area) {
    context.save();
    context.beginPath();
    context.rect(area.left, area.top, area.width, area.height);
    context.clip();
    context.beginPath();
    for (let moment = 0; moment <= this.clock.decisions; moment++) context.lineTo(...this.place(area, moment));
    context.strokeStyle = tone("way");
    context.lineWidth = 0.75;
    context.globalAlpha = 0.35;
    context.stroke();
    context.restore();
  }

  dot() {
    if (!this.area || byId("tuning").hidden) return;
    const { context } = prepare(byId("tuning"), ...this.size);
    context.clearRect(0, 0, ...this.size);
    context.drawImage(this.still, 0, 0, ...this.size);
    const [x, y] = this.place(this.area, this.clock.moment);
    context.beginPath();
    context.arc(x, y, 5, 0, 2 * Math.PI);
    context.strokeStyle = tone("paper");
    context.lineWidth = 4;
    context.stroke();
    context.strokeStyle = tone("ink");
    context.lineWidth = 2;
    context.stroke();
  }
}

function labels(context, area, across, up) {
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = tone("muted");
  context.textAlign = "left";
  const bottom = area.top + area.height;
  const { horizontal, vertical } = area;
  context.fillText(number(round(horizontal[0])), area.left, bottom + 14);
  context.textAlign = "right";
  context.fillText(number(round(horizontal[horizontal.length - 1])), area.left + area.width, bottom + 14);
  if (vertical.length > 1) {
    context.fillText(number(round(vertical[vertical.length - 1])), area.left - 5, area.top + 10);
    context.fillText(number(round(vertical[0])), area.left - 5, bottom);
  }
  context.fillStyle = tone("ink");
  context.textAlign = "center";
  context.fillText(across, area.left + area.width / 2, bottom + 28);
  context.save();
  context.translate(14, area.top + area.height / 2);
  context.rotate(-Math.PI / 2);
  context.fillText(up, 0, 0);
  context.restore();
}

// Four digits are enough to read.
export function round(value) {
  return Number.isFinite(value) ? Number(value.toPrecision(4)) : value;
}

// A picture of a matrix: one cell for each entry, blue below zero, vermilion above.
export function matrixPicture(values, rows, columns, largest) {
  const canvas = element("canvas", { width: columns, height: rows, class: "matrix-picture", role: "img" });
  const context = canvas.getContext("2d");
  const image = context.createImageData(columns, rows);
  const table = divergingTable();
  for (let i = 0; i < values.length; i++) {
    const [red, green, blue] = table[Math.max(0, Math.min(255, Math.round(127.5 + (127.5 * values[i]) / (largest || 1))))];
    image.data.set([red, green, blue, 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
