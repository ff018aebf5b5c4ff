// Starts what the page asks for by its data attributes.

import * as w from "./words.js";
import * as patch from "./patch.js";
import { overviewHeadline, schoolHeadline } from "./headline.js";
import { open } from "./stream.js";
import { startTrend } from "./trend.js";
import { startShell } from "./shell.js";
import { renewAdvice, startDetail } from "./detail.js";
import { startParts } from "./parts.js";

/** @typedef {import("./stream.js").Change} Change */

const ANNOUNCE_MILLISECONDS = 10_000;
const WORST_ROWS = 6;
const RELOAD_MILLISECONDS = 5_000;

/** @type {Map<string, import("./words.js").School>} */
const schools = new Map();
/** @type {Map<string, import("./words.js").Link>} */
const links = new Map();
/** Ids of open incidents. @type {Set<string>} */
const incidents = new Set();
/** @type {import("./words.js").Overview|null} */
let overview = null;
const page = document.body.dataset.page;
const pageScope = document.body.dataset.scope ?? "";
const trend = startTrend();

/** @type {Record<string, (change: Change) => void>} */
const take = {
  link: ({ id, body }) => {
    links.set(id, body);
    for (const row of patch.byData("link", id)) patch.setLink(row, body);
    renewAdvice(body);
  },
  board: ({ body }) => patch.setBoard(body),
  switch: ({ id, body }) => {
    patch.setSwitch(body);
    knowSwitch(id);
  },
  agent: ({ body }) => patch.setAgent(body),
  school: ({ id, body }) => {
    schools.set(id, body);
    for (const row of patch.byData("school", id)) patch.setSchool(row, body);
    patch.setAgent(body.agent);
    if (page === "school") setSchoolTotals(body);
  },
  incident: ({ id, body }) => {
    if (body.state === "open") incidents.add(id);
    else incidents.delete(id);
  },
  overview: ({ body }) => {
    patch.setOverview(body);
    if (body.scope !== pageScope) return;
    overview = body;
    trend.add(body.tallies);
  },
};

/** @param {Change[]} changes @param {boolean} whole */
function onChanges(changes, whole) {
  if (whole) {
    schools.clear();
    links.clear();
    incidents.clear();
  }
  for (const change of changes) {
    w.setMoment(change.at);
    take[change.kind]?.(change);
  }
  if (page === "overview") afterSchools(changes, whole);
  if (page === "school") afterLinks(changes, whole);
  afterIncidents(changes, whole);
  document.body.dataset.live = "1";
  announceSoon();
}

/** @param {import("./words.js").School} school */
function setSchoolTotals(school) {
  for (const lead of document.querySelectorAll(".hero .lead")) {
    patch.text(lead, "boards_online", school.boards_online);
    patch.text(lead, "boards_total", school.boards_total);
  }
  const silent = /** @type {HTMLElement|null} */ (document.querySelector("[data-silent]"));
  if (silent) silent.hidden = school.agent.online || school.agent.last_report_age_seconds === null;
  trend.add(school.tallies);
}

/** @param {Change[]} changes @param {boolean} whole */
function afterSchools(changes, whole) {
  const all = [...schools.values()].sort(w.worstSchoolFirst);
  const hero = document.querySelector(".hero");
  if (hero && overview) patch.setHeadline(hero, overviewHeadline(overview, all[0]));
  if (!whole && !changes.some((change) => change.kind === "school")) return;
  const list = /** @type {HTMLElement|null} */ (document.querySelector("[data-school-list]"));
  const rows = patchableRows(list, "school");
  const part = document.getElementById("schools")?.dataset.part;
  const gone = whole && [...rows.keys()].some((id) => !schools.has(id));
  if (part === undefined && all.length) location.reload(); // The first school of an empty city.
  else if (part === "no" && (gone || all.some((school) => !rows.has(school.id)))) reload("#schools");
  else order(list, all.map((school) => rows.get(school.id)));
  showWorst(all.filter((school) => school.verdict === "bad"));
}

/** @param {Change[]} changes @param {boolean} whole */
function afterLinks(changes, whole) {
  if (!whole && !changes.some(({ kind }) => kind === "link" || kind === "school")) return;
  const all = [...links.values()].sort(w.worstLinkFirst);
  const hero = document.querySelector(".hero");
  const school = [...schools.values()].find((one) => one.scope === pageScope);
  if (hero) patch.setHeadline(hero, schoolHeadline(all, school?.worst ?? null));
  const known = new Set();
  for (const list of document.querySelectorAll("[data-link-list]")) {
    const rows = patchableRows(/** @type {HTMLElement} */ (list), "link");
    for (const id of rows.keys()) known.add(id);
    order(/** @type {HTMLElement} */ (list), all.map((link) => rows.get(link.id)));
  }
  const gone = whole && known.size > links.size;
  if (gone || all.some((link) => !known.has(link.id))) reload("[data-link-lists]");
}

let renewing = false;

/** The count everywhere; lists and timelines are fetched anew. @param {Change[]} changes @param {boolean} whole */
function afterIncidents(changes, whole) {
  if (!whole && !changes.some(({ kind }) => kind === "incident")) return;
  for (const count of document.querySelectorAll("[data-incident-count]")) {
    count.textContent = String(incidents.size);
  }
  if (whole || renewing || !document.querySelector("[data-incidents]")) return;
  renewing = true;
  setTimeout(() => {
    renewing = false;
    reload("[data-incidents]");
  }, RELOAD_MILLISECONDS);
}

/** A switch that was not there when the page was made. @param {string} id */
function knowSwitch(id) {
  if (page === "school" && !patch.byData("switch", id).length) reload(".gear");
}

/**
 * Rows of a list by the id they stand for. @param {HTMLElement|null} list @param {string} kind
 * @returns {Map<string, HTMLElement>}
 */
function patchableRows(list, kind) {
  const rows = /** @type {HTMLElement[]} */ ([...(list?.children ?? [])]);
  return new Map(rows.map((row) => [row.dataset[kind] ?? "", row]));
}

/**
 * Moves rows into order, but never under somebody's finger.
 * @param {HTMLElement|null} list @param {(HTMLElement|undefined)[]} wanted
 */
function order(list, wanted) {
  if (!list || list.matches(":hover") || list.contains(document.activeElement)) return;
  let place = list.firstElementChild;
  for (const row of wanted) {
    if (!row) continue;
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
  }
}

/** @param {import("./words.js").School[]} harmed */
function showWorst(harmed) {
  const list = document.querySelector("[data-worst-list]");
  const blank = /** @type {HTMLTemplateElement|null} */ (document.getElementById("worst-row"));
  if (!list || !blank) return;
  const shown = harmed.slice(0, WORST_ROWS);
  while (list.children.length > shown.length) list.lastElementChild?.remove();
  while (list.children.length < shown.length) {
    list.append(/** @type {Element} */ (blank.content.firstElementChild).cloneNode(true));
  }
  shown.forEach((school, index) =>
    patch.setWorst(/** @type {HTMLElement} */ (list.children[index]), school));
  const calm = /** @type {HTMLElement|null} */ (document.querySelector("[data-worst-calm]"));
  if (calm) calm.hidden = shown.length > 0;
}

/** When each part was fetched last. @type {Map<string, number>} */
const reloadedAt = new Map();

/** Fetches a part of the page anew: something came or went. @param {string} selector */
function reload(selector) {
  const htmx = /** @type {any} */ (window).htmx;
  if (!htmx || Date.now() - (reloadedAt.get(selector) ?? 0) < RELOAD_MILLISECONDS) return;
  reloadedAt.set(selector, Date.now());
  htmx.ajax("GET", location.pathname + location.search,
    { target: selector, select: selector, swap: "outerHTML" });
}

let announced = "";
let announcing = false;

/** Says the headline to a screen reader, at most every ten seconds and only when it changed. */
function announceSoon() {
  if (announcing) return;
  announcing = true;
  setTimeout(() => {
    announcing = false;
    const headline = document.querySelector('[data-f="headline"]')?.textContent?.trim() ?? "";
    const line = document.querySelector("[data-announce]");
    if (line && announced && headline !== announced) line.textContent = headline;
    announced = headline;
  }, announced ? ANNOUNCE_MILLISECONDS : 0);
}

startShell();
startDetail();
startParts();
setInterval(() => {
  if (!document.hidden) patch.tickAges();
}, 1000);
if (document.body.dataset.stream) {
  open(document.body.dataset.stream, { changes: onChanges, ages: patch.setAges });
}
