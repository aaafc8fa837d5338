// The environment as vector graphics: shapes that `draw_scene` (drawing.py) read off the library's own scenes.

const SVG = "http://www.w3.org/2000/svg";
// Neutral tones follow the theme; all other colours mean something and stay.
const NEUTRAL = { "#1f2933": "ink", "#6b7480": "muted", "#e3e6ea": "faint", "#ffffff": "paper", "#000000": "ink" };
const BASE = { top: "hanging", center: "central", baseline: "auto", bottom: "text-after-edge", center_baseline: "central" };
const TAGS = { line: "polyline", disc: "circle", polygon: "polygon", area: "polygon", text: "text", picture: "image" };

const paint = (colour) => (NEUTRAL[colour] ? `var(--${NEUTRAL[colour]})` : colour);

// What a shape looks like at every moment; a line that grows shares one list of points.
function resolved(frames) {
  const states = [];
  let now = { v: 1 };
  for (const frame of frames) {
    if (frame) {
      now = { ...now, ...frame };
      if (frame.d) now.n = frame.d.length;
      if (frame.a) {
        now.d.push(...frame.a);
        now.n = now.d.length;
      }
    }
    states.push(now);
  }
  return states;
}

export class Scene {
  constructor(svg, data, describe) {
    svg.setAttribute("viewBox", `0 0 ${data.width} ${data.height}`);
    this.svg = svg;
    this.images = data.images;
    this.describe = describe;
    this.shapes = data.shapes.map((shape) => this.make(shape));
  }

  make(shape) {
    const { look, kind } = shape;
    const node = document.createElementNS(SVG, TAGS[kind]);
    const style = node.style;
    style.fill = kind === "line" ? "none" : paint(look.fill ?? "none");
    if (look.stroke) {
      style.stroke = paint(look.stroke);
      style.strokeWidth = look.width;
      style.strokeLinecap = look.cap ?? "round";
      style.strokeLinejoin = "round";
      if (look.dash) style.strokeDasharray = look.dash.join(" ");
    }
    let halo;
    if (look.halo) {
      halo = node.cloneNode();
      halo.style.stroke = "var(--paper)";
      halo.style.strokeWidth = look.halo;
      this.svg.append(halo);
    }
    if (kind === "text") {
      node.setAttribute("text-anchor", look.anchor);
      node.setAttribute("dominant-baseline", BASE[look.base] ?? "auto");
      style.fontSize = `${look.size}px`;
      if (look.bold) style.fontWeight = "600";
    }
    this.svg.append(node);
    return { kind, node, halo, states: resolved(shape.frames), shown: undefined };
  }

  show(moment) {
    for (const shape of this.shapes) {
      const state = shape.states[Math.min(moment, shape.states.length - 1)];
      if (!state || state === shape.shown) continue;
      shape.shown = state;
      for (const node of shape.halo ? [shape.halo, shape.node] : [shape.node]) this.place(node, shape.kind, state);
    }
    this.svg.setAttribute("aria-label", this.describe(moment));
  }

  place(node, kind, state) {
    node.style.display = state.v && state.d ? "" : "none";
    if (!state.v || !state.d) return;
    if (kind === "disc") {
      node.setAttribute("cx", state.d[0]);
      node.setAttribute("cy", state.d[1]);
      node.setAttribute("r", state.r);
    } else if (kind === "text") {
      node.setAttribute("x", state.d[0]);
      node.setAttribute("y", state.d[1]);
      node.textContent = state.t;
    } else if (kind === "picture") {
      ["x", "y", "width", "height"].forEach((name, i) => node.setAttribute(name, state.d[i]));
      node.setAttribute("href", this.images[state.i]);
      node.setAttribute("preserveAspectRatio", "none");
    } else {
      node.setAttribute("points", (state.n < state.d.length ? state.d.slice(0, state.n) : state.d).join(" "));
    }
  }
}
