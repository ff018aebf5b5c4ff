// One EventSource a page, its state on screen, and whether what is shown is still true.

import * as w from "./words.js";
import { setMark, text } from "./patch.js";

const SILENCE_SECONDS = 40;
const GIVE_UP_CHECK_MILLISECONDS = 5000;

/**
 * @typedef {{at: number, kind: string, id: string, scope: string, body: any}} Change
 * @typedef {Record<string, Record<string, number|null|(number|null)[]>>} Ages
 * @typedef {{changes(changes: Change[], whole: boolean): void, ages(ages: Ages): void}} Listener
 */

/** When anything was last heard, by the server's clock. */
let heardAt = w.now();

/**
 * Opens the page's stream. @param {string} address @param {Listener} listener
 */
export function open(address, listener) {
  /** @type {EventSource} */
  let source;
  const connect = () => {
    source = new EventSource(address);
    for (const name of ["snapshot", "changes"]) {
      source.addEventListener(name, (event) => {
        const data = JSON.parse(/** @type {MessageEvent} */ (event).data);
        heard(data.now);
        listener.changes(data.changes, name === "snapshot");
      });
    }
    source.addEventListener("beat", (event) => {
      const data = JSON.parse(/** @type {MessageEvent} */ (event).data);
      heard(data.now);
      w.setMoment(data.now);
      listener.ages(data.ages);
    });
    source.addEventListener("signed-out", ended);
    source.addEventListener("error", () => {
      lost();
      // A refusal (signed out, no room) closes the source for good: find out which.
      if (source.readyState === EventSource.CLOSED) setTimeout(again, GIVE_UP_CHECK_MILLISECONDS);
    });
  };
  const again = async () => {
    try {
      const answer = await fetch("/api/v1/sessions/current", { headers: { accept: "application/json" } });
      if (answer.status === 401) return ended();
    } catch {
      // The controller is away: keep trying.
    }
    connect();
  };
  const ended = () => {
    source.close();
    show("ended");
  };
  connect();
  addEventListener("pagehide", () => source.close());
  addEventListener("pageshow", (event) => {
    if (event.persisted) connect();
  });
  setInterval(() => {
    tickClock();
    if (w.now() - heardAt > SILENCE_SECONDS) lost();
  }, 1000);
}

/** @param {number} serverNow */
function heard(serverNow) {
  w.setClock(serverNow);
  heardAt = serverNow;
  show("live");
}

function lost() {
  if (document.body.dataset.conn !== "ended") show("lost");
}

/** @param {"live"|"lost"|"ended"} state */
function show(state) {
  document.body.dataset.conn = state;
  const pill = document.querySelector("[data-live-pill]");
  if (pill) {
    setMark(pill.querySelector("svg"), state === "live" ? "ok" : "stale");
    text(pill, "live-word", state === "live" ? w.t("Live") : w.t("Connecting"));
  }
  const banner = /** @type {HTMLElement|null} */ (document.querySelector("[data-conn-banner]"));
  if (!banner) return;
  banner.hidden = state === "live";
  if (state === "lost") {
    text(banner, "text", w.t("Connection lost. This page shows %(time)s and tries again.",
      { time: w.clock(heardAt, true) }));
  } else if (state === "ended") {
    text(banner, "text", w.t("Your session has ended."));
    banner.querySelector("a")?.removeAttribute("hidden");
  }
  tickClock();
}

function tickClock() {
  const face = document.querySelector('[data-live-pill] [data-f="live-clock"]');
  if (face && document.body.dataset.conn === "live") face.textContent = w.clock(w.now(), true);
}
