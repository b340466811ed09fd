// What several pages share: local times, one payment per tap, and a part of the page that follows the server.

const POLL_MS = 1500;
const POLL_MS_MAX = 15000;
const ID_BYTES = 16;
const KEPT_MS_MAX = 600000; // As long as a till shows what was asked for.

export function showLocalTimes(root = document) {
  const form = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const time of root.querySelectorAll("time[datetime]")) {
    time.textContent = form.format(new Date(time.dateTime));
  }
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(ID_BYTES));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The id of a request is made before it is sent and kept until the answer to it is on the page (as data-id), so that a
// second tap, or a second try after a lost answer, asks for the same thing and not for another one.
export function sendOnce(root = document) {
  forgetAnswered();
  for (const form of root.querySelectorAll("form[data-once]")) {
    const slot = `handsel.${form.dataset.once}`;
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) {
        event.preventDefault();
        return;
      }
      form.dataset.sent = "yes";
      if (form.elements.id) form.elements.id.value = idFor(slot, form);
      for (const button of form.querySelectorAll("button")) button.disabled = true;
    });
    window.addEventListener("pageshow", () => {
      delete form.dataset.sent;
      for (const button of form.querySelectorAll("button")) button.disabled = false;
    });
  }
}

function forgetAnswered() {
  const answered = new Set(Array.from(document.querySelectorAll("[data-id]"), (element) => element.dataset.id));
  for (const slot of Object.keys(sessionStorage).filter((name) => name.startsWith("handsel."))) {
    if (answered.has(JSON.parse(sessionStorage.getItem(slot)).id)) sessionStorage.removeItem(slot);
  }
}

function idFor(slot, form) {
  const fields = new FormData(form);
  fields.delete("id");
  const contents = `${form.action}?${new URLSearchParams(fields)}`;
  const kept = JSON.parse(sessionStorage.getItem(slot) ?? "null");
  const isSame = kept && kept.contents === contents && Date.now() - kept.madeMs < KEPT_MS_MAX;
  const made = isSame ? kept : { id: newId(), contents, madeMs: Date.now() };
  sessionStorage.setItem(slot, JSON.stringify(made));
  return made.id;
}

// Ask for this same page again while it says that something is moving, and swap its living part when that has changed.
// After a form that was refused, the page's address is not the form's: data-page names it.
export function follow(onSwap) {
  let wait = POLL_MS;
  const beat = async () => {
    const here = document.querySelector("[data-live]");
    if (!here || !("moving" in here.dataset)) return;
    try {
      const answer = await fetch(here.dataset.page ?? location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (!answer.ok || answer.redirected) throw new Error("not this page");
      swap(here, new DOMParser().parseFromString(await answer.text(), "text/html"), onSwap);
      wait = POLL_MS;
    } catch {
      wait = Math.min(2 * wait, POLL_MS_MAX);
    }
    setTimeout(beat, wait);
  };
  setTimeout(beat, wait);
}

function swap(here, page, onSwap) {
  const next = page.querySelector("[data-live]");
  if (!next || next.dataset.live === here.dataset.live) return;
  const focused = document.activeElement?.id;
  for (const input of here.querySelectorAll("input[id]")) {
    const same = next.querySelector(`#${CSS.escape(input.id)}`);
    if (same) same.value = input.value;
  }
  here.replaceWith(next);
  document.title = page.title;
  if (focused) document.getElementById(focused)?.focus();
  const said = document.querySelector("[data-announce]");
  if (said) said.textContent = Array.from(next.querySelectorAll("[data-say]"), (part) => part.textContent).join(". ");
  showLocalTimes(next);
  sendOnce(next);
  onSwap?.();
}
