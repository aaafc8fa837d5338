// A raster: a row for each neuron, a column for each tick; drawn pixel by pixel, so that thousands of rows cost no more than few.

import { firstAtLeast } from "./arrays.js";
import { mix, prepare, tone } from "./theme.js";

export class Raster {
  constructor(canvas, population, height) {
    this.canvas = canvas;
    this.population = population;
    this.height = height;
    this.chosen = -1; // row of the neuron that is looked at
  }

  // The row at a place, from the top, CSS pixels.
  rowAt(y) {
    const rows = this.population.trains.rows;
    return Math.max(0, Math.min(rows - 1, Math.floor((y / this.height) * rows)));
  }

  draw(view, width) {
    const { context, scale } = prepare(this.canvas, width, this.height);
    const [wide, tall] = [this.canvas.width, this.canvas.height];
    if (!this.image || this.image.width !== wide || this.image.height !== tall) {
      this.image = context.createImageData(wide, tall);
      this.pixels = new Uint32Array(this.image.data.buffer);
    }
    const { starts, times, rows } = this.population.trains;
    const pixels = this.pixels;
    const colour = packed(this.population.colour);
    pixels.fill(packed(tone("sunken")));
    const dense = rows > tall; // several rows share a line of pixels: darker where more of them fire
    const perTick = wide / (view.end - view.start);
    const gap = perTick >= 4 * scale ? Math.round(scale) : 0;
    const rowHeight = tall / rows;
    const rowGap = rowHeight >= 4 * scale ? Math.round(scale) : 0;
    if (this.chosen >= 0) {
      const [top, bottom] = edges(this.chosen, rowHeight, Math.max(2, 2 * scale), 0, tall);
      pixels.fill(packed(tone("glow")), top * wide, bottom * wide);
    }
    if (dense) {
      this.density(pixels, view, wide, tall, colour);
      context.putImageData(this.image, 0, 0);
      return;
    }
    for (let row = 0; row < rows; row++) {
      const [top, bottom] = edges(row, rowHeight, 1, rowGap, tall);
      const from = firstAtLeast(times, Math.floor(view.start), starts[row], starts[row + 1]);
      for (let i = from; i < starts[row + 1] && times[i] < view.end; i++) {
        const left = Math.max(0, Math.floor((times[i] - view.start) * perTick));
        const right = Math.min(wide, Math.max(left + 1, Math.floor((times[i] + 1 - view.start) * perTick) - gap));
        for (let y = top; y < bottom; y++) pixels.fill(colour, y * wide + left, y * wide + right);
      }
    }
    context.putImageData(this.image, 0, 0);
  }

  // Each pixel in proportion to the spikes of the neurons and ticks that it stands for.
  density(pixels, view, wide, tall, colour) {
    const { starts, times, rows } = this.population.trains;
    const perTick = wide / (view.end - view.start);
    const counts = new Float32Array(wide * tall);
    for (let row = 0; row < rows; row++) {
      const line = Math.floor((row * tall) / rows) * wide;
      const from = firstAtLeast(times, Math.floor(view.start), starts[row], starts[row + 1]);
      for (let i = from; i < starts[row + 1] && times[i] < view.end; i++) {
        const left = Math.max(0, Math.floor((times[i] - view.start) * perTick));
        const right = Math.min(wide, Math.max(left + 1, Math.floor((times[i] + 1 - view.start) * perTick)));
        for (let x = left; x < right; x++) counts[line + x] += 1;
      }
    }
    const most = (rows / tall) * Math.max(1, 1 / perTick);
    const table = Uint32Array.from({ length: 33 }, (_, i) => packed(mixed(tone("sunken"), this.population.colour, i / 32)));
    for (let i = 0; i < counts.length; i++) if (counts[i]) pixels[i] = table[Math.max(4, Math.min(32, Math.round((32 * counts[i]) / most)))];
  }
}

const mixed = (first, second, share) => `#${mix(first, second, share).map((part) => part.toString(16).padStart(2, "0")).join("")}`;

function edges(row, height, least, gap, tall) {
  const top = Math.floor(row * height);
  return [top, Math.min(tall, Math.max(top + least, Math.floor((row + 1) * height) - gap))];
}

// A colour as the pixels of a picture hold it.
function packed(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}
