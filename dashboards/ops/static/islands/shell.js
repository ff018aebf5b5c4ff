// What every page has: colours, keys, and the code in the address of the sign-in page.

import * as w from "./words.js";

const THEMES = /** @type {const} */ (["auto", "light", "dark"]);
const NAMES = { auto: "Colours: as the system", light: "Colours: light", dark: "Colours: dark" };
const YEAR_SECONDS = 365 * 86400;

export function startShell() {
  startThemeButton();
  fillCodeFromAddress();
  document.addEventListener("keydown", onKey);
  document.addEventListener("submit", onSubmit);
}

/** A form marked so is sent once, however often it is pressed. @param {SubmitEvent} event */
function onSubmit(event) {
  const form = event.target;
  if (!(form instanceof HTMLFormElement) || form.dataset.once === undefined) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  // Who comes back by the browser's own button may send it again.
  addEventListener("pageshow", () => delete form.dataset.sent, { once: true });
}

function startThemeButton() {
  const button = /** @type {HTMLButtonElement|null} */ (document.querySelector("[data-theme-button]"));
  if (!button) return;
  const root = document.documentElement;
  const current = () => /** @type {"auto"|"light"|"dark"} */ (root.dataset.theme ?? "auto");
  const label = () => {
    const name = w.t(NAMES[current()]);
    button.title = name;
    const words = button.querySelector(".sr");
    if (words) words.textContent = name;
  };
  button.hidden = false;
  label();
  button.addEventListener("click", () => {
    const next = THEMES[(THEMES.indexOf(current()) + 1) % THEMES.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    document.cookie = `tenone-theme=${next}; path=/; max-age=${YEAR_SECONDS}; samesite=lax`;
    label();
    document.dispatchEvent(new Event("tenone-theme"));
  });
}

/** The demo prints /sign-in#CODE: what follows # never reaches a server or its log. */
function fillCodeFromAddress() {
  const field = /** @type {HTMLInputElement|null} */ (document.querySelector("#code"));
  const code = decodeURIComponent(location.hash.slice(1));
  if (!field || !/^[0-9A-Za-z-]{8,40}$/.test(code)) return;
  field.value = code;
  history.replaceState(null, "", location.pathname + location.search);
  /** @type {HTMLElement|null} */ (field.form?.querySelector("button"))?.focus();
}

/** `/` searches, j and k walk the rows; Enter opens the one in focus. @param {KeyboardEvent} event */
function onKey(event) {
  const typing = event.target instanceof HTMLElement && event.target.matches("input, select, textarea");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    const search = /** @type {HTMLElement|null} */ (document.querySelector("[data-search]"));
    if (search) {
      event.preventDefault();
      search.focus();
    }
  } else if (event.key === "j" || event.key === "k") {
    const rows = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".row .name")]);
    const here = rows.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const next = event.key === "j" ? here + 1 : here - 1;
    rows[Math.min(Math.max(next, 0), rows.length - 1)]?.focus();
  }
}
