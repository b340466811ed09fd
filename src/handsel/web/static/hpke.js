// Open what was sealed to an X25519 key: HPKE (RFC 9180) in base mode with HKDF-SHA256 and AES-256-GCM, as receipt.py
// seals. All of it is the browser's own cryptography; here is only how the pieces are put together.

const TEXT = new TextEncoder();
const ENCAPSULATED_BYTES = 32;
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const MODE_BASE = Uint8Array.of(0);
const KEM_ID = Uint8Array.of(0x00, 0x20); // RFC 9180 §7.1: DHKEM(X25519, HKDF-SHA256)
const KDF_ID = Uint8Array.of(0x00, 0x01);
const AEAD_ID = Uint8Array.of(0x00, 0x02);
const KEM_SUITE = join(TEXT.encode("KEM"), KEM_ID);
const HPKE_SUITE = join(TEXT.encode("HPKE"), KEM_ID, KDF_ID, AEAD_ID);
const NOTHING = new Uint8Array();
const BASE_POINT = Uint8Array.of(9, ...new Uint8Array(31)); // RFC 7748 §6.1
// RFC 8410 §7: what stands before the 32 bytes of a private key.
const PKCS8_X25519 = Uint8Array.of(0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x6e, 4, 0x22, 4, 0x20);

// Whether this browser can: only current ones know X25519, and none does cryptography on a page that others can change.
export async function canOpen() {
  try {
    await publicKey(new Uint8Array(KEY_BYTES).fill(1));
    return true;
  } catch {
    return false;
  }
}

export async function publicKey(privateBytes) {
  return exchange(await privateKey(privateBytes), BASE_POINT);
}

// Return the content of `sealed`. Rejects where it does not open with this key, or was sealed for another use.
export async function open(sealed, privateBytes, info) {
  const encapsulated = sealed.subarray(0, ENCAPSULATED_BYTES);
  const shared = await exchange(await privateKey(privateBytes), encapsulated);
  const context = join(encapsulated, await publicKey(privateBytes));
  const kemSecret = await extractAndExpand(shared, context);

  const pskIdHash = await extract(NOTHING, "psk_id_hash", NOTHING);
  const infoHash = await extract(NOTHING, "info_hash", TEXT.encode(info));
  const schedule = join(MODE_BASE, pskIdHash, infoHash);
  const secret = await extract(kemSecret, "secret", NOTHING);
  const key = await expand(secret, "key", schedule, KEY_BYTES);
  const nonce = await expand(secret, "base_nonce", schedule, NONCE_BYTES);

  const aes = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  const content = await crypto.subtle.decrypt({ name: "AES-GCM", iv: nonce }, aes, sealed.subarray(ENCAPSULATED_BYTES));
  return new Uint8Array(content);
}

export function join(...parts) {
  const joined = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function privateKey(bytes) {
  return crypto.subtle.importKey("pkcs8", join(PKCS8_X25519, bytes), "X25519", false, ["deriveBits"]);
}

async function exchange(key, otherBytes) {
  const other = await crypto.subtle.importKey("raw", otherBytes, "X25519", false, []);
  return new Uint8Array(await crypto.subtle.deriveBits({ name: "X25519", public: other }, key, 8 * KEY_BYTES));
}

async function extractAndExpand(shared, context) {
  const secret = await extract(NOTHING, "eae_prk", shared, KEM_SUITE);
  return expand(secret, "shared_secret", context, KEY_BYTES, KEM_SUITE);
}

function extract(salt, label, input, suite = HPKE_SUITE) {
  return hmac(salt, join(TEXT.encode("HPKE-v1"), suite, TEXT.encode(label), input));
}

// One block of HKDF's is enough: nothing here is longer than 32 bytes.
async function expand(secret, label, info, length, suite = HPKE_SUITE) {
  const labeled = join(Uint8Array.of(0, length), TEXT.encode("HPKE-v1"), suite, TEXT.encode(label), info);
  return (await hmac(secret, join(labeled, Uint8Array.of(1)))).subarray(0, length);
}

async function hmac(keyBytes, message) {
  const bytes = keyBytes.length ? keyBytes : new Uint8Array(32); // The same to HMAC; browsers refuse an empty key.
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
}
