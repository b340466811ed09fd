// The keys of a wallet's receipts. One secret of 32 bytes stays in this browser; each receipt has a key that is made of
// it and of a number. The bank gets the public halves. The secret leaves only as a text that its owner writes down.

import { publicKey } from "/static/hpke.js";

const SECRET_BYTES = 32;
const CHECK_BYTES = 2;
const SECRETS_MAX = 8; // One browser's own, and those that were brought from others.
const TEXT = new TextEncoder();

export class ReceiptKeys {
  constructor(wallet) {
    this.slot = `handsel-receipts.${wallet}`;
  }

  get secrets() {
    try {
      return JSON.parse(localStorage.getItem(this.slot) ?? "[]").map(fromHex);
    } catch {
      return [];
    }
  }

  // The secret that new keys are made of: the first. One is drawn where there is none.
  own() {
    if (!this.secrets.length) this.keep([crypto.getRandomValues(new Uint8Array(SECRET_BYTES))]);
    return this.secrets[0];
  }

  add(secret) {
    const others = this.secrets.filter((each) => toHex(each) !== toHex(secret));
    this.keep([secret, ...others].slice(0, SECRETS_MAX));
  }

  forget() {
    localStorage.removeItem(this.slot);
  }

  keep(secrets) {
    localStorage.setItem(this.slot, JSON.stringify(secrets.map(toHex)));
  }

  // The private key for a receipt that was sealed to the public key `key`, or null where no secret here makes that one.
  async find(number, key) {
    for (const secret of this.secrets) {
      const made = await privateBytes(secret, number);
      if (toHex(await publicKey(made)) === toHex(key)) return made;
    }
    return null;
  }

  // Give the bank as many public keys as it wants. Sent twice, they are the same.
  async deposit() {
    const answer = await fetch("/wallet/receipt-keys", { cache: "no-store" });
    if (!answer.ok || answer.redirected) return;
    const { first, count } = await answer.json();
    if (!count) return;
    const keys = [];
    for (let number = first; number < first + count; number += 1) {
      keys.push(toHex(await publicKey(await privateBytes(this.own(), number))));
    }
    await fetch("/wallet/receipt-keys", { method: "POST", body: new URLSearchParams({ first, keys: keys.join("") }) });
  }
}

export async function privateBytes(secret, number) {
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const info = TEXT.encode(`handsel/v1/receipt-key/${number}`);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  return new Uint8Array(await crypto.subtle.deriveBits(hkdf, key, 8 * SECRET_BYTES));
}

// The secret as a text, with four digits more that show a slip of the pen.
export async function spell(secret) {
  return (toHex(secret) + (await check(secret))).replace(/(.{4})(?=.)/g, "$1 ");
}

// The secret in what somebody typed, or null where something is wrong with it.
export async function unspell(typed) {
  const digits = typed.toLowerCase().replace(/[\s-]/g, "");
  if (!/^[0-9a-f]{68}$/.test(digits)) return null;
  const secret = fromHex(digits.slice(0, 2 * SECRET_BYTES));
  return (await check(secret)) === digits.slice(2 * SECRET_BYTES) ? secret : null;
}

async function check(secret) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", secret));
  return toHex(digest.subarray(0, CHECK_BYTES));
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}
