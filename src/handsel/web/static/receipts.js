// The wallet's receipts: give the bank public keys, open what was sealed to them, save a receipt, keep the secret.

import { canOpen, open } from "/static/hpke.js";
import { written } from "/static/money.js";
import { ReceiptKeys, spell, toHex, unspell } from "/static/receipt_keys.js";

const INFO = "handsel/v1/receipt";
const TEXT = new TextEncoder();
const NO_CODE = "This receipt has none that pays back: the shop pays back to your palm.";
const ROOT = document.querySelector("[data-wallet]");
const find = (name, root = document) => root.querySelector(`[data-${name}]`);

function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

async function sha256(text) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", TEXT.encode(text)));
}

// Return the receipt's code, or nothing where it does not lead to this very payment: a till could have written another.
async function codeOf(receipt, stated, orderId) {
  const code = receipt.return_code;
  if (!code || !stated.return_digest) return "";
  const nonce = toHex(await sha256(`handsel/v1/charge-nonce\0${code}`)).slice(0, orderId.length);
  const leadsTo = toHex(await sha256(`handsel/v1/order-id\0${stated.charge_id}${nonce}`)).slice(0, orderId.length);
  const digest = await sha256(`handsel/v1/return-code\0${stated.charge_id}${code}`);
  return leadsTo === orderId && btoa(String.fromCharCode(...digest)) === stated.return_digest ? code : "";
}

// A code that leads elsewhere is dropped, so that a file that is presented in a dispute pays nobody else back.
async function read(keys, { number, key, sealed }, orderId) {
  const own = await keys.find(number, fromBase64(key));
  if (!own) return null;
  const receipt = JSON.parse(new TextDecoder().decode(await open(fromBase64(sealed), own, INFO)));
  const stated = JSON.parse(receipt.statement);
  const code = await codeOf(receipt, stated, orderId);
  if (!code) delete receipt.return_code;
  return { receipt, stated, code };
}

// Only texts are put into the page, never markup: a shop's words could be anything.
function show(item, { receipt, stated, code }) {
  find("shop", item).textContent = stated.shop;
  find("items", item).textContent = stated.description;
  find("return-code", item).textContent = code ? code.replace(/(.{4})(?=.)/g, "$1 ") : NO_CODE;
  find("notes", item).textContent = String(stated.notes.length);
  if (stated.tip_minor) find("tip", item).textContent = written(stated.tip_minor, stated.currency);
  for (const part of item.querySelectorAll("[data-tip-part]")) part.hidden = !stated.tip_minor;
  find("more", item).hidden = false;
  find("save", item).addEventListener("click", () => save(receipt, stated));
}

function save(receipt, stated) {
  const file = new Blob([JSON.stringify(receipt)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = `handsel-receipt-${stated.receipt_code.slice(0, 8)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

async function openAll(keys) {
  const list = find("receipt-list");
  if (!list) return;
  const answer = await fetch(`/wallet/receipts.json?page=${list.dataset.receiptList}`, { cache: "no-store" });
  if (!answer.ok || answer.redirected) return;
  let closed = 0;
  for (const { receipt, charge_id } of (await answer.json()).lines.filter((line) => line.receipt)) {
    const item = document.getElementById(`receipt-${receipt.id}`);
    const opened = item && (await read(keys, receipt, charge_id).catch(() => null));
    if (opened) show(item, opened);
    else if (item) {
      find("items", item).textContent = "Sealed for another browser of yours. Bring its receipt key here to read it.";
      closed += 1;
    }
  }
  find("said").textContent = closed ? `${closed} of the receipts do not open here.` : "";
}

async function showSecret(keys) {
  const place = find("receipt-secret");
  if (!place) return;
  place.textContent = await spell(keys.own());
  find("secret-part").hidden = false;
  find("bring").addEventListener("submit", async (event) => {
    event.preventDefault();
    const field = event.target.elements.secret;
    const secret = await unspell(field.value);
    find("bring-wrong").hidden = Boolean(secret);
    field.toggleAttribute("aria-invalid", !secret);
    if (!secret) {
      field.focus();
      return;
    }
    keys.add(secret);
    location.reload();
  });
  find("forget").addEventListener("click", () => {
    keys.forget();
    find("secret-part").hidden = true;
    find("said").textContent = "This browser has forgotten the receipt key. Sign out now, or a new one is made.";
  });
}

// Two pages that are opened at once draw one secret, not two of which one is lost.
async function prepare() {
  const keys = new ReceiptKeys(ROOT.dataset.wallet);
  if (!(await canOpen())) return null;
  try {
    await navigator.locks.request(keys.slot, () => keys.own());
    return keys;
  } catch {
    return null; // The browser keeps nothing for this page: what was sealed to such a key would be lost.
  }
}

async function begin() {
  const keys = await prepare();
  if (!keys) {
    if (find("cannot")) find("cannot").hidden = false;
    return;
  }
  await openAll(keys);
  await showSecret(keys);
  await keys.deposit().catch(() => {}); // The bank does not answer: the next page tries again.
}

if (ROOT) begin();
