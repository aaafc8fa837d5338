// The packed arrays of the page: bytes that `Packer` (packing.py) wrote, compressed, as base64.

export class Arrays {
  constructor(buffer) {
    this.buffer = buffer;
  }

  // Decompresses what the page holds as text.
  static async from(text) {
    const compressed = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([compressed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Arrays(await new Response(stream).arrayBuffer());
  }

  integers({ at, type, shape }) {
    const kinds = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };
    return new kinds[type](this.buffer, at, shape.reduce((a, b) => a * b, 1));
  }

  // Floats; what was not a number is NaN.
  floats(packed) {
    const codes = this.integers(packed);
    const values = new Float32Array(codes.length);
    const { low = 0, step = 1, nan } = packed;
    for (let i = 0; i < codes.length; i++) values[i] = codes[i] === nan ? NaN : low + codes[i] * step;
    return values;
  }

  // One row of a two-dimensional array of floats, decoded by itself.
  row(packed, row) {
    const width = packed.shape[1];
    const bytes = packed.type === "u1" ? 1 : packed.type === "u2" ? 2 : 4;
    return this.floats({ ...packed, at: packed.at + row * width * bytes, shape: [width] });
  }

  // Spike trains: for each row the ticks in which it fired, one after the other; row r is times[starts[r]] to times[starts[r + 1]].
  trains({ at, shape }) {
    const [rows, ticks] = shape;
    const width = Math.ceil(ticks / 8);
    const bytes = new Uint8Array(this.buffer, at, rows * width);
    const starts = new Uint32Array(rows + 1);
    const times = [];
    for (let row = 0; row < rows; row++) {
      for (let byte = 0; byte < width; byte++) {
        const bits = bytes[row * width + byte];
        for (let bit = 0; bits >> bit; bit++) if ((bits >> bit) & 1) times.push(byte * 8 + bit);
      }
      starts[row + 1] = times.length;
    }
    return { rows, starts, times: Uint32Array.from(times) };
  }
}

// The first place in sorted[low ... high) whose value is at least `value`.
export function firstAtLeast(sorted, value, low, high) {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
