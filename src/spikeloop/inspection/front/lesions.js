// Lesions as ranked bars: how much return each silenced neuron or group costs.

import { byId, element, number } from "./theme.js";
import { round } from "./neuron.js";

const FIRST = 20;

export function showLesions(model, choice) {
  const box = byId("ranking");
  const { lesions } = model;
  if (!box || !lesions?.rows.length) return;
  const rows = [...lesions.rows].sort((a, b) => b.loss - a.loss);
  const ends = [lesions.intact.mean, ...rows.flatMap((row) => row.interval)];
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const share = (value) => (100 * (value - low)) / (high - low || 1);
  const line = (row) => {
    const population = model.populations[row.population];
    const who = row.neurons.length > 1 ? `${row.neurons.length} neurons: ${row.neurons.slice(0, 3).map((n) => n + 1).join(", ")}…` : `${row.neurons[0] + 1}`;
    const [from, to] = row.interval.map(share);
    const zero = share(0);
    const [left, right] = [Math.min(zero, share(row.mean)), Math.max(zero, share(row.mean))];
    return element(
      "button",
      { type: "button", class: `lesion${row.matters ? " matters" : ""}`, style: `--colour:${population.colour}`, onclick: () => choose(row) },
      element("span", {}, `${population.name} ${who}`),
      element(
        "em",
        { "aria-hidden": "true" },
        element("i", { style: `left:${left}%;width:${right - left}%` }),
        element("u", { style: `left:${from}%;width:${Math.max(0.4, to - from)}%` }),
        element("s", { style: `left:${share(lesions.intact.mean)}%` }),
      ),
      element("b", {}, number(round(row.mean))),
      element("small", {}, row.loss ? `${row.loss > 0 ? "−" : "+"}${number(round(Math.abs(row.loss)))}` : "±0"),
    );
  };
  const choose = (row) => {
    choice.choose(row.population, row.neurons[0]);
    byId("network").scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  };
  const show = (count) => {
    const more = rows.length > count ? element("button", { type: "button", class: "quiet", onclick: () => show(rows.length) }, `show all ${rows.length}`) : "";
    box.replaceChildren(...rows.slice(0, count).map(line), more);
  };
  show(FIRST);
}
