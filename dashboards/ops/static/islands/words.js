// What cells say when they change: the same messages and rules as dashboards/ops/words.py.

/**
 * @typedef {{method: string, age_seconds: number}} Evidence
 * @typedef {{id: string, name: string, online: boolean|null, since: number|null,
 *   age_seconds: number|null, stale: boolean}} Board
 * @typedef {{id: string, school: string, name: string, tier: string, room: string|null,
 *   contract_mbps: number, negotiated_mbps: number|null, duplex: string|null,
 *   oper: string|null, admin: string|null, verdict: string, severity: string|null, causes: string[],
 *   since: number|null, evidence: Evidence[], stale: boolean, verified: boolean,
 *   boards: Board[]}} Link
 * @typedef {{tier: string, good: number, bad: number, unknown: number, unverified: number,
 *   total: number}} Tally
 * @typedef {{school: string, online: boolean, version: string,
 *   last_report_age_seconds: number|null, outbox_blocks: number|null,
 *   quarantined_total: number|null}} Agent
 * @typedef {{id: string, name: string, name_zh: string|null, scope: string, verdict: string, severity: string|null,
 *   tallies: Tally[], worst: Link|null, agent: Agent, boards_online: number,
 *   boards_total: number, since: number|null}} School
 * @typedef {{scope: string, name: string, name_zh: string|null, schools_total: number,
 *   schools_reporting: number, schools_good: number, schools_unverified: number, schools_bad: number, schools_unknown: number, tallies: Tally[],
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

const chinese = document.body.dataset.language === "zh-CN";

/** What a school is called in the page's language. @param {School} school */
export function nameOf(school) {
  return (chinese && school.name_zh) || school.name;
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
  "virtual-port": "bound to an interface that is no socket",
};

/** The first cause. @param {Link} link */
export function why(link) {
  return link.causes.length ? cause(link, link.causes[0]) : "";
}

/** All causes, the first to name first. @param {Link} link */
export function whys(link) {
  return link.causes.map((name) => cause(link, name)).join(t(", "));
}

/** @param {Link} link @param {string} name */
function cause(link, name) {
  const message = CAUSES[name];
  if (!message) return name;
  return t(message, { speed: speed(link.negotiated_mbps), contract: speed(link.contract_mbps) });
}

/** @param {string|null} value */
export function duplex(value) {
  if (value === "full") return t("full duplex");
  return value === "half" ? t("half duplex") : "–";
}

/** ifOperStatus and ifAdminStatus in words (RFC 2863). @type {Record<string, string>} */
const OPER = {
  up: "up", down: "down", testing: "under test", unknown: "unknown", dormant: "dormant",
  notPresent: "not present", lowerLayerDown: "down below",
};
/** @type {Record<string, string>} */
const ADMIN = { up: "on", down: "off", testing: "under test" };

/** @param {string|null} value */
export function oper(value) {
  return OPER[value ?? ""] ? t(OPER[value ?? ""]) : "–";
}

/** @param {string|null} value */
export function admin(value) {
  return ADMIN[value ?? ""] ? t(ADMIN[value ?? ""]) : "–";
}

/** What a failed sweep means. @param {Switch} item */
export function pollCause(item) {
  if (!item.poll_error) return "";
  return item.reachable ? t("It answers, but not everything could be read.")
    : t("Nothing could be read: look at its power, its address and its community.");
}

/** What follows the number of good schools. @param {Overview} view */
export function schoolsGood(view) {
  if (!view.schools_unverified) return t("schools good");
  return t("schools good, %(n)s unverified", { n: view.schools_unverified });
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
