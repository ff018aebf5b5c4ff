// The dialog of one link, and the button that asks its gateway to poll now.

import * as w from "./words.js";
import { cell, text } from "./patch.js";

/** By the code of a reply. @type {Record<string, string>} */
const REFUSALS = {
  "agent-silent": "The gateway of this school is not connected.",
  "no-answer": "The gateway did not answer in time.",
  "agent-1": "The gateway did not answer in time.",
  "agent-4": "The gateway could not read the switch.",
  "agent-5": "The gateway is busy. Try again in a moment.",
  "unknown-switch": "The switch of this link is not configured.",
  "no-command-channel": "This controller has no way to ask gateways.",
};

export function startDetail() {
  const dialog = /** @type {HTMLDialogElement|null} */ (document.getElementById("dialog"));
  document.addEventListener("htmx:afterSwap", (event) => {
    const target = /** @type {CustomEvent} */ (event).detail.target;
    if (dialog && target.id === "panel" && !dialog.open) dialog.showModal();
  });
  dialog?.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // The backdrop.
  });
  dialog?.addEventListener("close", () => document.getElementById("panel")?.replaceChildren());
  document.addEventListener("click", (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (target?.closest("[data-close]")) dialog?.close();
    const button = /** @type {HTMLButtonElement|null} */ (target?.closest("[data-recheck]"));
    if (button) recheck(button);
  });
}

/** @param {HTMLButtonElement} button */
async function recheck(button) {
  const panel = button.closest("[data-panel]");
  if (!panel || button.disabled) return;
  button.disabled = true;
  text(panel, "reply", w.t("Asking the gateway ..."));
  try {
    const answer = await fetch(button.dataset.recheck ?? "", { method: "POST" });
    const body = await answer.json();
    const done = answer.ok && body.state !== "failed";
    if (done) text(panel, "reply", w.t("Done. What the gateway reads now appears here by itself."));
    else refuse(panel, body.code ?? "", body.message ?? body.detail ?? "");
  } catch {
    text(panel, "reply", w.t("The controller did not answer. Try again."));
  } finally {
    button.disabled = false;
  }
}

/**
 * The cause in the page's language, then the program's own words, which are English.
 * @param {Element} panel @param {string} code @param {string} words
 */
function refuse(panel, code, words) {
  const own = document.createElement("q");
  own.lang = "en";
  own.textContent = words;
  text(panel, "reply", w.t(REFUSALS[code] ?? "This could not be done now."));
  if (words) cell(panel, "reply")?.append(" ", own);
}

/** Fetches the advice anew when an open link is harmed by something else. @param {import("./words.js").Link} link */
export function renewAdvice(link) {
  const panel = /** @type {HTMLElement|null} */ (document.querySelector("[data-panel]"));
  const htmx = /** @type {any} */ (window).htmx;
  const cause = link.causes[0] ?? "";
  if (!htmx || panel?.dataset.link !== link.id || panel.dataset.cause === cause) return;
  panel.dataset.cause = cause;
  htmx.ajax("GET", `/links/${link.id}`,
    { target: "[data-advice]", select: "[data-advice]", swap: "outerHTML" });
}
