// Writes views into the cells they belong to. Nothing is rebuilt; only text, marks and bars change.

import * as w from "./words.js";

/**
 * The cell of a part of the page. @param {Element} root @param {string} field
 * @returns {HTMLElement|null}
 */
export function cell(root, field) {
  return root.querySelector(`[data-f="${field}"]`);
}

/** @param {Element} root @param {string} field @param {string|number|null} value */
export function text(root, field, value) {
  const found = cell(root, field);
  const wanted = String(value ?? "–");
  if (found && found.textContent !== wanted) found.textContent = wanted;
}

/** @param {Element|null} mark @param {string} kind */
export function setMark(mark, kind) {
  if (!mark || mark.classList.contains(`mark-${kind}`)) return;
  mark.setAttribute("class", `mark mark-${kind}`);
  mark.querySelector("use")?.setAttribute("href", `#m-${kind}`);
}

/** @param {Element} root @param {string} kind @param {string} [word] */
function setState(root, kind, word = w.markWord(kind)) {
  const state = cell(root, "state");
  if (!state) return;
  state.className = `state state-${kind}`;
  setMark(state.querySelector("svg"), kind);
  text(state, "word", word);
}

/** @param {Element} root @param {string} field @param {number|null} seconds */
export function setAge(root, field, seconds) {
  const found = cell(root, field);
  if (found) setAt(found, seconds);
}

/** @param {HTMLElement} time @param {number|null} seconds */
function setAt(time, seconds) {
  const at = seconds === null ? null : w.before(seconds);
  time.dataset.at = at === null ? "" : String(at);
  time.textContent = w.age(at === null ? null : w.now() - at);
}

/** @param {Element} root @param {import("./words.js").Tally} tally */
export function setTally(root, tally) {
  const verified = tally.good - tally.unverified;
  const values = { good: tally.good, total: tally.total, verified, unverified: tally.unverified,
    bad: tally.bad, unknown: tally.unknown };
  for (const [field, value] of Object.entries(values)) text(root, field, value);
  const bars = cell(root, "bar")?.querySelectorAll("rect");
  if (!bars) return;
  let x = 0;
  [verified, tally.unverified, tally.bad, tally.unknown].forEach((count, index) => {
    const width = (count * 100) / Math.max(tally.total, 1);
    bars[index + 1].setAttribute("x", x.toFixed(2));
    bars[index + 1].setAttribute("width", width.toFixed(2));
    x += width;
  });
}

/** Marks a row whose verdict changed, briefly. @param {HTMLElement} row @param {string} verdict */
function noteVerdict(row, verdict) {
  if (row.dataset.verdict === verdict) return;
  row.dataset.verdict = verdict;
  row.classList.remove("changed");
  requestAnimationFrame(() => row.classList.add("changed"));
}

/** @param {HTMLElement} row @param {import("./words.js").Link} link */
export function setLink(row, link) {
  noteVerdict(row, link.verdict);
  const kind = w.linkMark(link);
  row.dataset.fresh = kind === "unknown" || kind === "stale" ? "no" : "yes";
  setState(row, kind);
  text(row, "name", link.name);
  text(row, "speed", w.speed(link.negotiated_mbps));
  text(row, "contract", w.speed(link.contract_mbps));
  text(row, "duplex", w.duplex(link.duplex));
  text(row, "oper", w.oper(link.oper));
  text(row, "admin", w.admin(link.admin));
  const unproved = cell(row, "unproved");
  if (unproved) unproved.hidden = kind !== "unverified";
  text(row, "why", w.why(link));
  text(row, "whys", w.whys(link));
  text(row, "since", w.since(link.since));
  const evidence = cell(row, "evidence");
  if (evidence) evidence.replaceChildren(...link.evidence.map(proof));
  for (const board of link.boards) setBoard(board);
}

/** @param {import("./words.js").Evidence} item */
function proof(item) {
  const span = document.createElement("span");
  span.className = "proof";
  const name = document.createElement("span");
  name.textContent = w.method(item.method);
  const time = document.createElement("time");
  time.className = "num age";
  time.dataset.f = "proof-age";
  setAt(time, item.age_seconds);
  span.append(name, " ", time);
  return span;
}

/** @param {import("./words.js").Board} board */
export function setBoard(board) {
  const [kind, word] = w.boardState(board);
  for (const found of byData("board", board.id)) {
    setState(found, kind, word);
    text(found, "name", board.name);
    text(found, "since", w.since(board.since));
  }
}

/** @param {import("./words.js").Switch} item */
export function setSwitch(item) {
  const [kind, word] = w.switchState(item);
  for (const found of byData("switch", item.id)) {
    setMark(found.querySelector("svg"), kind);
    text(found, "answers", word);
    text(found, "error", item.poll_error);
    text(found, "error-cause", w.pollCause(item));
    const line = cell(found, "error-line");
    if (line) line.hidden = !item.poll_error;
    setAge(found, "age", item.age_seconds);
  }
}

/** @param {import("./words.js").Agent} agent */
export function setAgent(agent) {
  const [kind, word] = w.agentState(agent);
  for (const found of byData("agent", agent.school)) {
    setState(found, kind, word);
    setAge(found, "age", agent.last_report_age_seconds);
    text(found, "outbox_blocks", agent.outbox_blocks);
    text(found, "quarantined_total", agent.quarantined_total);
  }
}

/** @param {HTMLElement} row @param {import("./words.js").School} school */
export function setSchool(row, school) {
  noteVerdict(row, school.verdict);
  setState(row, w.schoolMark(school));
  text(row, "name", w.nameOf(school));
  text(row, "worst", school.worst ? naming(school.worst) : "");
  text(row, "since", school.worst ? w.since(school.since) : "");
  text(row, "boards_online", school.boards_online);
  text(row, "boards_total", school.boards_total);
  setAge(row, "age", school.agent.last_report_age_seconds);
  for (const tally of school.tallies) {
    const found = row.querySelector(`[data-tier="${CSS.escape(tally.tier)}"]`);
    if (found) setTally(found, tally);
  }
}

/** @param {HTMLElement} row @param {import("./words.js").School} school */
export function setWorst(row, school) {
  row.dataset.worst = school.id;
  const link = row.querySelector("a");
  if (link) link.href = `/at/${school.scope}`;
  setMark(row.querySelector("svg"), w.schoolMark(school));
  text(row, "school", w.nameOf(school));
  text(row, "worst", school.worst ? naming(school.worst) : "");
  text(row, "since", w.since(school.since));
}

/** @param {import("./words.js").Link} link */
function naming(link) {
  return [link.name, w.why(link)].filter(Boolean).join(" ");
}

/** @param {Element} root @param {{kind: string, main: string, detail: string}} line */
export function setHeadline(root, line) {
  const headline = cell(root, "headline");
  if (!headline) return;
  setMark(headline.querySelector("svg"), line.kind);
  text(headline, "main", line.main);
  text(headline, "detail", line.detail);
}

const OVERVIEW_FIELDS = ["schools_total", "schools_reporting", "schools_good", "schools_bad",
  "schools_unknown", "schools_unverified", "boards_online", "boards_total"];

/** @param {import("./words.js").Overview} view */
export function setOverview(view) {
  for (const found of byData("overview", view.scope)) {
    for (const field of OVERVIEW_FIELDS) text(found, field, view[field]);
    text(found, "schools_verified", view.schools_good - view.schools_unverified);
    text(found, "good_word", w.schoolsGood(view));
    setAge(found, "data-age", view.data_age_seconds);
    for (const tally of view.tallies) {
      const card = found.querySelector(`[data-tier="${CSS.escape(tally.tier)}"]`);
      if (card) setTally(card, tally);
    }
    const boards = found.querySelector("[data-boards-card]");
    if (boards) setTally(boards, boardTally(view));
  }
}

/** @param {import("./words.js").Overview} view @returns {import("./words.js").Tally} */
function boardTally(view) {
  const { boards_online: good, boards_total: total } = view;
  return { tier: "", good, total, unknown: total - good, bad: 0, unverified: 0 };
}

/**
 * Elements that stand for one thing. @param {string} kind @param {string} id
 * @returns {NodeListOf<HTMLElement>}
 */
export function byData(kind, id) {
  return document.querySelectorAll(`[data-${kind}="${CSS.escape(id)}"]`);
}

/** What was said again unchanged is young again. @param {import("./stream.js").Ages} ages */
export function setAges(ages) {
  const kinds = { school: "age", overview: "data-age", switch: "age", board: "age" };
  for (const [kind, field] of Object.entries(kinds)) {
    for (const [id, age] of Object.entries(ages[kind] ?? {})) {
      for (const found of byData(kind, id)) setAge(found, field, /** @type {number|null} */ (age));
    }
  }
  for (const [id, age] of Object.entries(ages.school ?? {})) {
    for (const found of byData("agent", id)) setAge(found, "age", /** @type {number|null} */ (age));
  }
  for (const [id, list] of Object.entries(ages.link ?? {})) {
    for (const row of byData("link", id)) {
      row.querySelectorAll('[data-f="proof-age"]').forEach((time, place) =>
        setAt(/** @type {HTMLElement} */ (time), /** @type {number[]} */ (list)[place] ?? null));
    }
  }
}

/** Lets ages run on between reports. */
export function tickAges() {
  for (const found of document.querySelectorAll("time[data-at]")) {
    const at = /** @type {HTMLElement} */ (found).dataset.at;
    if (!at) continue;
    const wanted = w.age(w.now() - Number(at));
    if (found.textContent !== wanted) found.textContent = wanted;
  }
}
