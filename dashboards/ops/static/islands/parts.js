// Parts of a page that are fetched anew while they are looked at, never under somebody's finger.

const LOOK_MILLISECONDS = 5_000;

/** Starts where the page has parts (`data-part` with an id). */
export function startParts() {
  if (!parts().length) return;
  let asking = false;
  setInterval(async () => {
    if (asking || document.hidden || document.body.dataset.conn === "ended" || !parts().length) return;
    asking = true;
    try {
      await renew();
    } catch {
      // The controller is away; the stream's banner says so.
    } finally {
      asking = false;
    }
  }, LOOK_MILLISECONDS);
}

/** @returns {HTMLElement[]} */
function parts() {
  return [...document.querySelectorAll("[data-part]")].filter((part) => part.id);
}

/** Fetches the page and takes over the parts that differ. */
async function renew() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of parts()) {
    const other = fresh.getElementById(part.id);
    if (!other || other.outerHTML === part.outerHTML || inUse(part)) continue;
    part.replaceWith(document.adoptNode(other));
  }
}

/** Whether somebody reads or types there. @param {HTMLElement} part */
function inUse(part) {
  return part.contains(document.activeElement) || part.matches(":hover:has(form)")
    || part.querySelector("details[open]") !== null;
}
