// The customer's screen: show what the agent says, and give it frames while it wants them.
//
// One loop asks the agent, either with a frame or without, so that never two frames are in flight.

import { DrawnHand, Webcam } from "/static/eye.js";
import { Light } from "/static/light.js";
import { written } from "/static/money.js";
import { PinPad } from "/static/pinpad.js";
import { Tips } from "/static/tip.js";

const BEAT_MS = 500;
const FRAME_MS = 200;
const BEAT_MS_MAX = 8000;
const CODE_DIGITS = 8;
const REMEMBERED = "handsel.camera";
const LOST = {
  screen: "trouble", session: "", wants_frames: false, kind: null, is_lost: true,
  message: "This screen cannot reach its till, and keeps trying. Who has just held out a palm waits before paying another way.",
};
const TITLES = {
  idle: "Welcome",
  showing: { charge: "Hold out your palm", refund: "Hold out your palm for your money back", enrolment: "Show your palm" },
  working: "One moment",
  paid: "PAID",
  reserved: "RESERVED",
  refunded: "PAID BACK",
  enrolled: "Connected",
  declined: { charge: "Not paid", refund: "Not paid back", enrolment: "Not connected" },
  trouble: "One moment, please",
  put_aside: "Cancelled",
};
const TONES = { paid: "good", reserved: "good", refunded: "good", enrolled: "good", declined: "bad" };
TITLES.reading = TITLES.showing;

const find = (name) => document.querySelector(`[data-${name}]`);
const stage = find("stage");
const keypad = find("keypad");
const code = document.getElementById("code");
const choice = find("people-choice");
const select = find("camera");
const webcam = new Webcam(find("video"));
const drawn = choice ? new DrawnHand(find("drawn"), choice) : null;
const lamp = new Light(document.documentElement, find("light-note"));

const pinpad = new PinPad(find("pinpad"), document.getElementById("pin"), find("pin-wrong"), (pin, session) => act("/v1/pin", { pin, session }));

const tips = new Tips(find("tips"), find("tip-keypad"), {
  choose: (minor) => act("/v1/tip", { session: screen.session, tip_minor: minor }).catch(() => show(LOST)),
  money: written,
  changed: () => show(screen),
});

let screen = LOST;
let eye = null;
let typing = false;
let acted = 0;

const wait = (ms) => new Promise((done) => setTimeout(done, ms));

async function ask(path, options = {}) {
  const answer = await fetch(path, { cache: "no-store", ...options });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error.message);
  return body;
}

function say(element, text) {
  element.hidden = !text;
  if (element.textContent !== text) element.textContent = text;
}

function money(state) {
  if (!state.amount_minor) return "";
  const amount = written(state.amount_minor, state.currency);
  return state.is_reservation ? `Up to ${amount}` : amount;
}

function tipLine(state) {
  if (!state.tip_minor) return "";
  const asked = written(state.amount_minor - state.tip_minor, state.currency);
  return `${asked} and a tip of ${written(state.tip_minor, state.currency)}`;
}

function titleOf(state) {
  if (state.wants_pin) return "One more step";
  const title = TITLES[state.screen];
  return typeof title === "string" ? title : title[state.kind];
}

function show(next) {
  screen = next;
  typing = typing && Boolean(next.may_enrol);
  tips.show({ tips: [], tip_minor: 0, tip_minor_max: 0, ...next });
  const isOpen = ["showing", "reading", "working"].includes(next.screen);
  const progress = next.screen === "working" ? 0.3 : next.good_frames / (next.frames_needed || 1) || 0;
  stage.dataset.screen = next.screen;
  stage.dataset.tone = typing || next.wants_pin ? "" : (TONES[next.screen] ?? "");
  stage.toggleAttribute("data-seen", progress > 0);
  say(find("shop"), next.merchant ?? "");
  stage.toggleAttribute("data-reservation", Boolean(next.is_reservation));
  say(find("title"), typing ? "Connect your palm" : tips.isTyping ? "Choose your tip" : titleOf(next));
  find("pin-note").hidden = !next.has_pin || !next.wants_frames;
  pinpad.show(next);
  say(find("amount"), typing ? "" : money(next));
  say(find("tip-line"), typing ? "" : tipLine(next));
  say(find("text"), typing ? "Your wallet shows you a code once you have agreed. Type it here." : tips.isTyping ? "" : next.message);
  say(find("description"), typing ? "" : (next.description ?? ""));
  find("hint").hidden = !isOpen || tips.isTyping;
  find("hint").textContent = next.hint ?? "";
  showReceipt(next);
  showCard(next);
  stage.querySelector(".done").setAttribute("stroke-dasharray", `${Math.round(100 * progress)} 100`);
  keypad.hidden = !typing;
  showButtons(next, isOpen);
  watch(isOpen && !typing && !tips.isTyping);
  if (typing || tips.isTyping || !next.light) lamp.putOut();
}

function showButtons(next, isOpen) {
  const isAgain = next.kind === "enrolment" && ["declined", "trouble"].includes(next.screen);
  const mayType = next.may_enrol && (isAgain || ["idle", "put_aside"].includes(next.screen));
  const offered = { retry: next.may_retry, cancel: next.may_cancel, type_code: mayType };
  for (const [name, isOffered] of Object.entries(offered)) {
    document.querySelector(`[data-do="${name}"]`).hidden = typing || !isOffered;
  }
  document.querySelector('[data-do="retry"]').textContent = next.wants_pin ? "I said yes in my wallet" : "Try again";
  document.querySelector('[data-do="cancel"]').textContent = isOpen ? "Cancel" : "Done";
  document.querySelector('[data-do="type_code"]').textContent = isAgain ? "Type the code again" : "Connect my palm to my wallet";
}

function showReceipt(next) {
  find("receipt").hidden = !next.receipt_code;
  find("code").textContent = next.receipt_code ?? "";
  find("return").hidden = !next.return_code;
  find("return-code").textContent = next.return_code?.replace(/(.{4})(?=.)/g, "$1 ") ?? "";
  if (next.receipt_code) find("receipt").querySelector("a").href = next.receipt_url;
}

// A new card, while it is on the screen. When it no longer is, the agent has forgotten it, and the page does, too.
function showCard(next) {
  const picture = find("new-card").querySelector("img");
  const address = `/v1/card.png?session=${next.session}`;
  find("new-card").hidden = !next.has_new_card;
  if (!next.has_new_card) picture.removeAttribute("src");
  else if (picture.getAttribute("src") !== address) picture.src = address;
  const note = find("card-note");
  if (note) note.hidden = typing || tips.isTyping || next.has_held_key || next.kind === "enrolment" || !next.wants_frames;
}

function watch(open) {
  find("eye").hidden = !open;
  const wanted = open ? (select?.value === "drawn" ? drawn : webcam) : null;
  if (wanted === eye) return;
  eye?.close();
  eye = wanted;
  say(find("camera-wrong"), "");
  eye?.open().catch((error) => say(find("camera-wrong"), cameraWords(error)));
}

function cameraWords(error) {
  const drawnToo = drawn ? " You can choose the simulated hand below." : "";
  if (error.name === "NotAllowedError") return `The browser may not use the camera: allow it in the address bar.${drawnToo}`;
  if (error.name === "NotFoundError") return `No camera was found.${drawnToo}`;
  return `The camera cannot be used; another program may have it.${drawnToo}`;
}

async function beat() {
  const begun = acted;
  const light = await lamp.shine(lightWanted());
  const frame = screen.wants_frames && eye ? await eye.grab() : null;
  const answer = frame ? await sendFrame(frame, light) : await ask("/v1/state");
  if (begun === acted) show(answer);
  return frame ? FRAME_MS : BEAT_MS;
}

// A drawn hand is lit by nothing, and before the camera sees there is nothing to light.
function lightWanted() {
  return screen.wants_frames && eye === webcam && webcam.isReady ? screen.light : null;
}

// The last frame is answered when it is paid, or not; until then the agent is asked what to show.
async function sendFrame(frame, light) {
  let isAnswered = false;
  const query = new URLSearchParams({ session: screen.session, ...(light && { light }) });
  const sent = ask(`/v1/frames?${query}`, { method: "POST", body: frame, headers: { "Content-Type": "image/jpeg" } });
  const ended = sent.catch(() => null).then(() => { isAnswered = true; });
  while (!isAnswered) {
    await Promise.race([ended, wait(BEAT_MS)]);
    const state = isAnswered ? null : await ask("/v1/state");
    if (!isAnswered) show(state);
  }
  return sent;
}

async function run() {
  let pause = BEAT_MS;
  for (;;) {
    const started = performance.now();
    try {
      pause = await beat();
    } catch {
      pause = Math.min(2 * pause, BEAT_MS_MAX);
      if (pause > 2 * BEAT_MS) show(LOST);
    }
    await wait(Math.max(20, pause - (performance.now() - started)));
  }
}

async function act(path, body) {
  acted += 1;
  const options = { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } };
  const answer = await ask(path, options);
  acted += 1;
  show(answer);
}

const deeds = {
  type_code() {
    typing = true;
    code.value = "";
    say(find("code-wrong"), "");
    show(screen);
    code.focus();
  },
  leave_keypad() {
    typing = false;
    show(screen);
    document.querySelector('[data-do="type_code"]').focus();
  },
  // Both name what is shown: by the time they arrive the till may be about another payment.
  cancel: () => act("/v1/cancel", { session: screen.session }),
  retry: () => act("/v1/retry", { session: screen.session }),
  print_card: () => window.print(),
};

const digits = () => code.value.replace(/\D/g, "").slice(0, CODE_DIGITS);

function write(text) {
  const held = text.slice(0, CODE_DIGITS);
  code.value = held.length > 4 ? `${held.slice(0, 4)} ${held.slice(4)}` : held;
}

async function sendCode() {
  if (digits().length < CODE_DIGITS) {
    say(find("code-wrong"), `The code has ${CODE_DIGITS} digits.`);
    return;
  }
  try {
    typing = false;
    await act("/v1/enrolments", { code: digits(), way: new FormData(keypad).get("way") });
    write("");
  } catch (error) {
    typing = true;
    show(screen);
    say(find("code-wrong"), error.message);
  }
}

document.addEventListener("click", (event) => {
  const deed = event.target.closest("[data-do]")?.dataset.do;
  if (deed) Promise.resolve(deeds[deed]()).catch(() => show(LOST));
  const key = event.target.closest("[data-key]")?.dataset.key;
  if (key === "back") write(digits().slice(0, -1));
  else if (key && key !== "go") write(digits() + key);
});
keypad.addEventListener("submit", (event) => {
  event.preventDefault();
  sendCode();
});
code.addEventListener("input", () => write(digits()));

async function chooseCamera() {
  if (!select) return;
  let isChosen = false;
  select.addEventListener("change", () => {
    isChosen = true;
    localStorage.setItem(REMEMBERED, select.value);
    show(screen);
  });
  const remembered = localStorage.getItem(REMEMBERED);
  const devices = remembered ? [] : ((await navigator.mediaDevices?.enumerateDevices()) ?? []);
  const fallback = devices.some((device) => device.kind === "videoinput") ? "webcam" : "drawn";
  if (!isChosen) select.value = remembered ?? fallback; // Somebody may have been quicker than the browser.
}

await chooseCamera();
run();
