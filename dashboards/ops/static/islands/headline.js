// The sentence at the top of a page: the same rules as Words in dashboards/ops/words.py.

import { linkMark, schoolMark, since, t, why, worstLinkFirst } from "./words.js";

/**
 * @typedef {import("./words.js").Link} Link
 * @typedef {import("./words.js").School} School
 * @typedef {import("./words.js").Overview} Overview
 */

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
  return allGood(links);
}

/** What is good by negotiation only is never said to hold the promise. @param {Link[]} links */
function allGood(links) {
  const count = (/** @type {string} */ kind) =>
    links.filter((link) => linkMark(link) === kind).length;
  const values = { total: links.length, stale: count("stale"), unverified: count("unverified"),
    verified: count("ok") };
  const say = (/** @type {string} */ kind, /** @type {string} */ main) =>
    ({ kind, main, detail: "" });
  if (values.stale) {
    return say("stale", t("%(stale)s of %(total)s links without fresh data", values));
  }
  if (!values.unverified) return say("ok", t("All %(total)s links hold the promise", values));
  if (!values.verified) {
    return say("unverified",
      t("All %(total)s links negotiate what was promised; none is tested yet", values));
  }
  return say("unverified",
    t("%(verified)s of %(total)s links hold the promise, %(unverified)s unverified", values));
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
    unknown: view.schools_unknown, unverified: view.schools_unverified,
    verified: view.schools_good - view.schools_unverified };
  if (!view.schools_total) return { kind: "unknown", main: t("No school here yet"), detail: "" };
  if (view.schools_bad) {
    const kind = worst ? schoolMark(worst) : "crit";
    return { kind, main: t("%(bad)s of %(total)s schools harmed", values), detail: "" };
  }
  if (view.schools_unknown) {
    const main = view.schools_unverified
      ? t("%(unknown)s of %(total)s schools unknown, %(unverified)s unverified", values)
      : t("%(good)s of %(total)s schools hold the promise, %(unknown)s unknown", values);
    return { kind: "unknown", main, detail: "" };
  }
  if (!view.schools_unverified) {
    return { kind: "ok", main: t("All %(total)s schools hold the promise", values), detail: "" };
  }
  const main = view.tallies.some((tally) => tally.good > tally.unverified)
    ? t("%(verified)s of %(total)s schools hold the promise, %(unverified)s unverified", values)
    : t("All %(total)s schools negotiate what was promised; none is tested yet", values);
  return { kind: "unverified", main, detail: "" };
}
