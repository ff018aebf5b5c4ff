// The dialog of one link, and the button that asks its gateway to poll now.

import * as w from "./words.js";
import { text } from "./patch.js";

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
    text(panel, "reply", done ? w.t("Done. What the gateway reads now appears here by itself.")
      : w.t("This could not be done now: %(message)s", { message: body.message ?? body.detail }));
  } catch {
    text(panel, "reply", w.t("The controller did not answer. Try again."));
  } finally {
    button.disabled = false;
  }
}
