// What cells say when they change: the same messages and rules as dashboards/ops/words.py.

/**
 * @typedef {{method: string, age_seconds: number}} Evidence
 * @typedef {{id: string, name: string, online: boolean|null, since: number|null,
 *   age_seconds: number|null, stale: boolean}} Board
 * @typedef {{id: string, school: string, name: string, tier: string, room: string|null,
 *   contract_mbps: number, negotiated_mbps: number|null, duplex: string|null,
 *   oper: string|null, verdict: string, severity: string|null, causes: string[],
 *   since: number|null, evidence: Evidence[], stale: boolean, verified: boolean,
 *   boards: Board[]}} Link
 * @typedef {{tier: string, good: number, bad: number, unknown: number, unverified: number,
 *   total: number}} Tally
 * @typedef {{school: string, online: boolean, version: string,
 *   last_report_age_seconds: number|null, outbox_blocks: number|null,
 *   quarantined_total: number|null}} Agent
 * @typedef {{id: string, name: string, scope: string, verdict: string, severity: string|null,
 *   tallies: Tally[], worst: Link|null, agent: Agent, boards_online: number,
 *   boards_total: number, since: number|null}} School
 * @typedef {{scope: string, name: string, schools_total: number, schools_reporting: number,
 *   schools_good: number, schools_bad: number, schools_unknown: number, tallies: Tally[],
 *   boards_online: number, boards_total: number, data_age_seconds: number|null}} Overview
 * @typedef {{id: string, reachable: boolean|null, poll_error: string,
 *   age_seconds: number|null}} Switch
 */

/** @type {Record<string, string>} */
const messages = JSON.parse(document.getElementById("messages")?.textContent ?? "{}");

/** Server clock minus browser clock, in seconds. */
let offset = Number(document.body.dataset.now) - Date.now() / 1000;

/** @param {number} serverNow */
export function setClock(serverNow) {
  offset = serverNow - Date.now() / 1000;
}

/** The moment the ages of the view at hand count from. */
let moment = now();

/** @param {number} at epoch seconds */
export function setMoment(at) {
  moment = at;
}

/** When something that is so old was true. @param {number} seconds @returns {number} */
export function before(seconds) {
  return moment - seconds;
}

/** @returns {number} epoch seconds by the server's clock */
export function now() {
  return Date.now() / 1000 + offset;
}

/**
 * The translation of an English message with its %(name)s filled in.
 * @param {string} message
 * @param {Record<string, string|number>} [values]
 * @returns {string}
 */
export function t(message, values = {}) {
  return (messages[message] ?? message).replace(/%\((\w+)\)s/g, (whole, name) =>
    String(values[name] ?? whole));
}

const CITY_TIME = "Asia/Shanghai";
const time = new Intl.DateTimeFormat("en-GB",
  { timeZone: CITY_TIME, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const timeWithSeconds = new Intl.DateTimeFormat("en-GB",
  { timeZone: CITY_TIME, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("en-CA",
  { timeZone: CITY_TIME, year: "numeric", month: "2-digit", day: "2-digit" });

/** @param {number} at epoch seconds @param {boolean} [seconds] */
export function clock(at, seconds = false) {
  const date = new Date(at * 1000);
  const text = (seconds ? timeWithSeconds : time).format(date);
  const today = day.format(new Date(now() * 1000));
  return day.format(date) === today ? text : `${day.format(date).slice(5)} ${text}`;
}

/** @param {number|null} at */
export function since(at) {
  return at === null ? "" : t("since %(time)s", { time: clock(at) });
}

/** @param {number|null} seconds */
export function age(seconds) {
  if (seconds === null) return t("never");
  const whole = Math.max(0, Math.floor(seconds));
  if (whole >= 86400) return t("%(n)s d ago", { n: Math.floor(whole / 86400) });
  if (whole >= 3600) return t("%(n)s h ago", { n: Math.floor(whole / 3600) });
  if (whole >= 60) return t("%(n)s min ago", { n: Math.floor(whole / 60) });
  return t("%(n)s s ago", { n: whole });
}

/** @param {number|null} mbps */
export function speed(mbps) {
  if (mbps === null) return "–";
  return mbps >= 1000 ? `${Number((mbps / 1000).toPrecision(6))} Gbit/s` : `${mbps} Mbit/s`;
}

/** @type {Record<string, string>} */
const CAUSES = {
  "power": "no power at the switch",
  "uplink": "the uplink of the school is harmed",
  "configuration": "switched off by configuration",
  "link-down": "no link",
  "speed": "%(speed)s instead of %(contract)s",
  "duplex": "half duplex",
  "errors": "frame errors",
  "congestion": "congested",
  "loss": "packets are lost",
  "dns": "names do not resolve",
  "endpoint": "class board not connected",
  "agent-silent": "the gateway is silent",
  "switch-silent": "the switch does not answer",
  "stale": "the evidence is too old",
  "port-missing": "the switch no longer shows this port",
  "speed-unknown": "the switch does not say the speed",
  "duplex-unknown": "the switch does not say the duplex",
  "oper-unknown": "the switch does not say the state",
  "not-bound": "not bound to a port yet",
  "never-seen": "nothing heard yet",
};

/** @param {Link} link */
export function why(link) {
  const message = CAUSES[link.causes[0]];
  if (!message) return link.causes[0] ?? "";
  return t(message, { speed: speed(link.negotiated_mbps), contract: speed(link.contract_mbps) });
}

/** @param {string|null} value */
export function duplex(value) {
  if (value === "full") return t("full duplex");
  return value === "half" ? t("half duplex") : "–";
}

/** @param {string} name */
export function method(name) {
  return t(name);
}

/** @type {Record<string, string>} */
const MARKS = {
  ok: "Good", unverified: "Unverified", warn: "Warning", crit: "Critical",
  unknown: "Unknown", stale: "No fresh data",
};

/** @param {string} kind */
export function markWord(kind) {
  return t(MARKS[kind]);
}

/** @param {Link} link */
export function linkMark(link) {
  if (link.verdict === "unknown") return "unknown";
  if (link.stale) return "stale";
  if (link.verdict === "good") return link.verified ? "ok" : "unverified";
  return link.severity === "critical" ? "crit" : "warn";
}

/** @param {School} school */
export function schoolMark(school) {
  if (school.verdict === "bad") return school.severity === "critical" ? "crit" : "warn";
  if (school.verdict === "unknown") return "unknown";
  return school.tallies.some((tally) => tally.unverified) ? "unverified" : "ok";
}

/** @param {Board} board @returns {[string, string]} mark and word */
export function boardState(board) {
  if (board.stale || board.online === null) return ["unknown", t("unknown")];
  return board.online ? ["ok", t("online")] : ["warn", t("offline")];
}

/** @param {Switch} item @returns {[string, string]} mark and word */
export function switchState(item) {
  if (item.reachable === null) return ["unknown", t("unknown")];
  return item.reachable ? ["ok", t("answers")] : ["crit", t("silent")];
}

/** @param {Agent} agent @returns {[string, string]} mark and word */
export function agentState(agent) {
  if (agent.last_report_age_seconds === null) return ["unknown", t("unknown")];
  return agent.online ? ["ok", t("online")] : ["crit", t("silent")];
}

const VERDICTS = { bad: 0, unknown: 1, good: 2 };
const SEVERITIES = { critical: 0, warning: 1, info: 2 };
const natural = new Intl.Collator("en", { numeric: true });

/** Order of two links: the worst first, uplinks before classes. @param {Link} a @param {Link} b */
export function worstLinkFirst(a, b) {
  return VERDICTS[a.verdict] - VERDICTS[b.verdict]
    || (SEVERITIES[a.severity ?? ""] ?? 3) - (SEVERITIES[b.severity ?? ""] ?? 3)
    || Number(a.tier !== "uplink") - Number(b.tier !== "uplink")
    || natural.compare(a.room ?? a.id, b.room ?? b.id)
    || natural.compare(a.id, b.id);
}

/** Order of two schools: the worst first. @param {School} a @param {School} b */
export function worstSchoolFirst(a, b) {
  return VERDICTS[a.verdict] - VERDICTS[b.verdict]
    || (SEVERITIES[a.severity ?? ""] ?? 3) - (SEVERITIES[b.severity ?? ""] ?? 3)
    || (a.name < b.name ? -1 : Number(a.name > b.name));
}

/** @param {Link} link */
function naming(link) {
  const first = [link.name, why(link)].filter(Boolean).join(" ");
  return link.since === null ? first : `${first}${t(", ")}${since(link.since)}`;
}

/**
 * A school in one sentence; it names `worst`, as the lists above do.
 * @param {Link[]} links @param {Link|null} worst
 * @returns {{kind: string, main: string, detail: string}}
 */
export function schoolHeadline(links, worst) {
  const sorted = [...links].sort(worstLinkFirst);
  const bad = sorted.filter((link) => link.verdict === "bad");
  const unknown = sorted.filter((link) => link.verdict === "unknown");
  const total = links.length;
  if (bad.length) {
    const named = worst?.verdict === "bad" ? worst : bad[0];
    return { kind: linkMark(named), main: harmed(bad, links), detail: naming(named) };
  }
  if (unknown.length) {
    const main = t("%(unknown)s of %(total)s links unknown", { unknown: unknown.length, total });
    return { kind: "unknown", main, detail: naming(unknown[0]) };
  }
  if (!total) return { kind: "unknown", main: t("No link is described here yet"), detail: "" };
  const kinds = new Set(links.map(linkMark));
  const kind = ["stale", "unverified"].find((name) => kinds.has(name)) ?? "ok";
  return { kind, main: t("All %(total)s links hold the promise", { total }), detail: "" };
}

/** @param {Link[]} bad @param {Link[]} links */
function harmed(bad, links) {
  const total = links.filter((link) => link.tier === "class").length;
  const classes = bad.filter((link) => link.tier === "class").length;
  const uplinks = bad.filter((link) => link.tier === "uplink").length;
  if (classes + uplinks < bad.length) {
    return t("%(bad)s of %(total)s links harmed", { bad: bad.length, total: links.length });
  }
  if (!uplinks) return t("%(bad)s of %(total)s classes harmed", { bad: classes, total });
  if (!classes) return t("The uplink is harmed");
  return t("The uplink and %(bad)s of %(total)s classes are harmed", { bad: classes, total });
}

/**
 * A city or district in one sentence, with the mark of its worst school.
 * @param {Overview} view @param {School|undefined} worst
 */
export function overviewHeadline(view, worst) {
  const values = { total: view.schools_total, good: view.schools_good, bad: view.schools_bad,
    unknown: view.schools_unknown };
  if (!view.schools_total) return { kind: "unknown", main: t("No school here yet"), detail: "" };
  if (view.schools_bad) {
    const kind = worst ? schoolMark(worst) : "crit";
    return { kind, main: t("%(bad)s of %(total)s schools harmed", values), detail: "" };
  }
  if (view.schools_unknown) {
    const main = t("%(good)s of %(total)s schools hold the promise, %(unknown)s unknown", values);
    return { kind: "unknown", main, detail: "" };
  }
  const kind = view.tallies.some((tally) => tally.unverified) ? "unverified" : "ok";
  return { kind, main: t("All %(total)s schools hold the promise", values), detail: "" };
}
