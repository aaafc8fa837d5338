// Colours: those of the style sheet, as canvases need them, and scales of colour.

export const palette = ["#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#6a5acd"];

export function colourOf(place) {
  return palette[place % palette.length];
}

// A custom property of the page as it is now.
export function tone(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

const hexOf = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));

// A mixture of two colours, rgb numbers: share 0 gives the first.
export function mix(first, second, share) {
  const [a, b] = [hexOf(first), hexOf(second)];
  return a.map((value, i) => Math.round(value + (b[i] - value) * share));
}

export const css = ([red, green, blue], alpha = 1) => `rgb(${red} ${green} ${blue} / ${alpha})`;

// From -1 (blue) through the paper to 1 (vermilion).
export function diverging(value) {
  const strength = Math.min(1, Math.abs(value)) ** 0.8;
  return mix(tone("paper"), value < 0 ? "#0072b2" : "#d55e00", strength);
}

// Shades of a colour, from the paper on: a table of 256 for pictures.
export function shades(colour) {
  const paper = tone("sunken");
  const dark = tone("ink");
  return Array.from({ length: 256 }, (_, i) => {
    const share = i / 255;
    return share < 0.75 ? mix(paper, colour, share / 0.75) : mix(colour, dark, (share - 0.75) * 1.2);
  });
}

export function divergingTable() {
  return Array.from({ length: 256 }, (_, i) => diverging((i - 127.5) / 127.5));
}

const repaints = [];

// Calls it now and whenever the theme changes.
export function onTheme(paint) {
  repaints.push(paint);
  paint();
}

function repaint() {
  for (const paint of repaints) paint();
}

export function beginTheme(button) {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const is = () => root.dataset.theme ?? (dark.matches ? "dark" : "light");
  button.addEventListener("click", () => {
    root.dataset.theme = is() === "dark" ? "light" : "dark";
    repaint();
  });
  dark.addEventListener("change", repaint);
  let before;
  addEventListener("beforeprint", () => {
    before = root.dataset.theme;
    root.dataset.theme = "light";
    repaint();
  });
  addEventListener("afterprint", () => {
    if (before) root.dataset.theme = before;
    else delete root.dataset.theme;
    repaint();
  });
}

// A canvas of so many CSS pixels, sharp on this screen; returns its context and its scale.
export function prepare(canvas, width, height) {
  const scale = Math.min(3, devicePixelRatio || 1);
  const [wide, tall] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  if (canvas.width !== wide || canvas.height !== tall) {
    canvas.width = wide;
    canvas.height = tall;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return { context, scale };
}

// A number as people read it.
export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  const text = value === Math.round(value) && size < 1e6 ? `${value}` : size < 100 ? `${Number(value.toPrecision(3))}` : `${Number(value.toFixed(1))}`;
  return text.replace("-", "−");
}

// An element with attributes and children; text is text, never markup.
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

export const byId = (id) => document.getElementById(id);
