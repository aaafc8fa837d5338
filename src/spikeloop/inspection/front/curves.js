// Curves over time, drawn by uPlot: one look for all of them.

import { number, tone } from "./theme.js";

export const GUTTER = 104; // left of every lane, for its name and its scale, CSS pixels
export const MARGIN = 12; // right of every lane

// A lane of curves over ticks. `lines` are {label, colour, values, width, stepped}.
export class Curves {
  constructor(parent, { ticks, lines, height, stepped = false, range }) {
    this.parent = parent;
    this.options = { lines, height, stepped };
    this.ticks = ticks;
    this.range = range ?? limits(lines.map((line) => line.values));
  }

  build(width) {
    this.plot?.destroy();
    const { lines, height, stepped } = this.options;
    const paths = stepped ? uPlot.paths.stepped({ align: 1 }) : uPlot.paths.linear();
    this.plot = new uPlot(
      {
        width,
        height,
        padding: [6, MARGIN, 6, 0],
        legend: { show: false },
        cursor: { show: false },
        select: { show: false },
        scales: { x: { time: false, auto: false }, y: { auto: false, range: this.range } },
        axes: [
          { show: false },
          {
            size: GUTTER,
            stroke: tone("muted"),
            font: "11px system-ui, sans-serif",
            grid: { stroke: tone("faint"), width: 1 },
            ticks: { show: false },
            gap: 6,
            space: 26,
            values: (_, splits) => splits.map((value) => number(Number(value.toPrecision(6)))),
          },
        ],
        series: [
          {},
          ...lines.map((line) => ({
            label: line.label,
            stroke: line.colour,
            width: line.width ?? 1.5,
            points: { show: false },
            spanGaps: false,
            paths: line.stepped ? uPlot.paths.stepped({ align: line.stepped }) : paths,
          })),
        ],
      },
      [this.ticks, ...lines.map((line) => line.values)],
      this.parent,
    );
  }

  draw(view, width) {
    if (!this.plot || this.width !== width) {
      this.width = width;
      this.build(width);
    }
    this.plot.setScale("x", { min: view.start, max: view.end });
  }
}

// A range with room that holds all values but the most extreme hundredth.
export function limits(arrays) {
  const values = arrays.flatMap((array) => sample(array)).filter(Number.isFinite).sort((a, b) => a - b);
  if (!values.length) return [0, 1];
  const at = (share) => values[Math.min(values.length - 1, Math.max(0, Math.round(share * (values.length - 1))))];
  let [low, high] = [at(0.002), at(0.998)];
  const room = 0.08 * (high - low) || 0.5;
  return [low - room, high + room];
}

function sample(array) {
  const every = Math.max(1, Math.floor(array.length / 4000));
  const found = [];
  for (let i = 0; i < array.length; i += every) found.push(array[i]);
  found.push(array[array.length - 1]);
  return found;
}
