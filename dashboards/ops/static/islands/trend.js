// The last half hour: a small chart, and the table beside it that says the same.

import * as w from "./words.js";
import { cell, text } from "./patch.js";

const KEEP_SECONDS = 30 * 60;
const SAMPLE_SECONDS = 15;
const SHORTEST_SECONDS = 60;
const SECONDS_BELOW = 8 * 60;
const ROW_SECONDS = 60;

/** @typedef {{at: number, good: number, bad: number, unknown: number}} Sample */

/** Starts the chart if the page has one. @returns {{add(tallies: import("./words.js").Tally[]): void}} */
export function startTrend() {
  const card = /** @type {HTMLElement|null} */ (document.querySelector("[data-trend-scope]"));
  if (!card) return { add() {} };
  /** @type {Sample[]} */
  let samples = [];
  /** @type {any} */
  let chart = null;
  let asked = false;

  const draw = () => {
    asked = false;
    samples = samples.filter((sample) => sample.at > w.now() - KEEP_SECONDS);
    if (chart) chart.setOption(options(card, samples), { replaceMerge: ["series", "title", "grid", "xAxis", "yAxis"] });
    fillTable(card, samples);
    text(card, "judged", judged(samples));
  };
  const drawSoon = () => {
    if (asked || document.hidden) return;
    asked = true;
    requestAnimationFrame(draw);
  };
  const add = (/** @type {import("./words.js").Tally[]} */ tallies) => {
    const sum = (/** @type {"good"|"bad"|"unknown"} */ key) =>
      tallies.reduce((total, tally) => total + tally[key], 0);
    const sample = { at: w.now(), good: sum("good"), bad: sum("bad"), unknown: sum("unknown") };
    if (!samples.length && sample.good + sample.bad === 0) return; // Judging has not begun.
    const last = samples.at(-1);
    const same = last && last.bad === sample.bad && last.unknown === sample.unknown;
    if (last && same && sample.at - last.at < SAMPLE_SECONDS) return;
    samples.push(sample);
    drawSoon();
  };

  load(card).then((found) => {
    samples = [...found, ...samples.filter((sample) => sample.at > (found.at(-1)?.at ?? 0))];
    return makeChart(card);
  }).then((made) => {
    chart = made;
    drawSoon();
  });
  document.addEventListener("visibilitychange", drawSoon);
  document.addEventListener("tenone-theme", drawSoon);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawSoon);
  addEventListener("resize", () => chart?.resize());
  return { add };
}

/** What the server kept. @param {HTMLElement} card @returns {Promise<Sample[]>} */
async function load(card) {
  try {
    const scope = encodeURIComponent(card.dataset.trendScope ?? "");
    const answer = await fetch(`/api/v1/overview/trend?scope=${scope}`);
    return answer.ok ? (await answer.json()).samples : [];
  } catch {
    return []; // The chart fills by itself as changes come.
  }
}

/** @param {HTMLElement} card */
async function makeChart(card) {
  const address = document.body.dataset.echarts;
  const place = cell(card, "chart");
  if (!place) return null;
  if (!address) {
    place.hidden = true; // The vendor files are not there: the table stands alone.
    card.querySelector("details")?.setAttribute("open", "");
    return null;
  }
  const echarts = await import(address);
  return echarts.init(place, null, { renderer: "canvas" });
}

/**
 * Two strips with one time axis: what is harmed stays readable beside a thousand unknown.
 * @param {HTMLElement} card @param {Sample[]} samples
 */
function options(card, samples) {
  const style = getComputedStyle(card);
  const colour = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const start = samples[0]?.at ?? w.now();
  const end = Math.max(w.now(), start + SHORTEST_SECONDS);
  const withSeconds = end - start < SECONDS_BELOW;
  const quiet = { color: colour("--ink-3"), fontSize: 12, fontFamily: style.fontFamily };
  const strips = [
    { name: w.t("Harmed"), key: "bad", stroke: colour("--crit"), kind: "solid", top: 26 },
    { name: w.t("Unknown"), key: "unknown", stroke: colour("--unknown"), kind: "dashed", top: 104 },
  ];
  return {
    animation: false,
    title: strips.map((strip) => ({ text: strip.name, left: 0, top: strip.top - 26,
      textStyle: { ...quiet, fontWeight: "normal" } })),
    grid: strips.map((strip) => ({ left: 36, right: 12, top: strip.top, height: 44 })),
    tooltip: {
      trigger: "axis", renderMode: "richText", confine: true,
      backgroundColor: colour("--surface"), borderColor: colour("--line-strong"),
      textStyle: { color: colour("--ink"), fontSize: 13 },
      formatter: (/** @type {any[]} */ points) => points.length === 0 ? "" :
        [w.clock(points[0].value[0] / 1000, true),
          ...points.map((point) => `${point.seriesName} ${point.value[1]}`)].join("\n"),
    },
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    xAxis: strips.map((strip, index) => ({ type: "time", gridIndex: index, splitNumber: 4,
      min: start * 1000, max: end * 1000, axisTick: { show: false },
      axisLine: { lineStyle: { color: colour("--line-strong") } },
      axisLabel: { ...quiet, show: index === 1, hideOverlap: true,
        formatter: (/** @type {number} */ value) => w.clock(value / 1000, withSeconds) } })),
    yAxis: strips.map((strip, index) => {
      const most = nice(Math.max(...samples.map((sample) => sample[strip.key]), 0));
      return { type: "value", gridIndex: index, min: 0, max: most, interval: most / 2,
        axisLabel: quiet, splitLine: { lineStyle: { color: colour("--line") } } };
    }),
    series: strips.map((strip, index) => ({
      name: strip.name, type: "line", step: "end", showSymbol: false, animation: false,
      xAxisIndex: index, yAxisIndex: index,
      lineStyle: { color: strip.stroke, width: 2, type: strip.kind },
      itemStyle: { color: strip.stroke }, areaStyle: { color: strip.stroke, opacity: 0.12 },
      data: [...samples.map((sample) => [sample.at * 1000, sample[strip.key]]),
        ...(samples.length ? [[w.now() * 1000, samples[samples.length - 1][strip.key]]] : [])],
    })),
  };
}

/** What is missing on the left, in words. @param {Sample[]} samples */
function judged(samples) {
  if (!samples.length) return w.t("nothing judged yet");
  const whole = samples[0].at < w.now() - KEEP_SECONDS + ROW_SECONDS;
  return whole ? "" : w.t("judged since %(time)s", { time: w.clock(samples[0].at, true) });
}

/** The next even round number, so that half of it is a whole number. @param {number} most */
function nice(most) {
  const steps = [2, 4, 6, 10, 20, 30, 40, 60, 100];
  let scale = 1;
  while (steps[steps.length - 1] * scale < most) scale *= 10;
  return (steps.find((step) => step * scale >= most) ?? 2) * scale;
}

/** One row a minute, newest first. @param {HTMLElement} card @param {Sample[]} samples */
function fillTable(card, samples) {
  const body = cell(card, "samples");
  if (!body) return;
  /** @type {Sample[]} */
  const rows = [];
  for (const sample of [...samples].reverse()) {
    const last = rows.at(-1);
    if (!last || last.at - sample.at >= ROW_SECONDS) rows.push(sample);
  }
  body.replaceChildren(...rows.map((sample) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = w.clock(sample.at);
    row.append(head, ...[sample.bad, sample.unknown, sample.good].map((count) => {
      const data = document.createElement("td");
      data.textContent = String(count);
      return data;
    }));
    return row;
  }));
}
