// A raster: a row for each neuron, a column for each tick; drawn pixel by pixel, so that thousands of rows cost no more than few.

import { firstAtLeast } from "./arrays.js";
import { prepare, tone } from "./theme.js";

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
    const perTick = wide / (view.end - view.start);
    const gap = perTick >= 4 * scale ? Math.round(scale) : 0;
    const rowHeight = tall / rows;
    const rowGap = rowHeight >= 4 * scale ? Math.round(scale) : 0;
    if (this.chosen >= 0) {
      const [top, bottom] = edges(this.chosen, rowHeight, Math.max(2, 2 * scale), 0, tall);
      pixels.fill(packed(tone("glow")), top * wide, bottom * wide);
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
}

function edges(row, height, least, gap, tall) {
  const top = Math.floor(row * height);
  return [top, Math.min(tall, Math.max(top + least, Math.floor((row + 1) * height) - gap))];
}

// A colour as the pixels of a picture hold it.
function packed(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  return (255 << 24) | (blue << 16) | (green << 8) | red;
}
