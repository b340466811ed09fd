// Passkeys: have the browser make one, or have one say yes, and send the answer with the form that asked.

const form = document.querySelector("form[data-passkey]");
const asked = JSON.parse(form.dataset.options);

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

function make() {
  const user = { ...asked.user, id: bytes(asked.user.id) };
  const publicKey = { ...asked, user, challenge: bytes(asked.challenge), excludeCredentials: named(asked.excludeCredentials) };
  return navigator.credentials.create({ publicKey });
}

function sign() {
  const publicKey = { ...asked, challenge: bytes(asked.challenge), allowCredentials: named(asked.allowCredentials) };
  return navigator.credentials.get({ publicKey });
}

const PARTS = { make: ["clientDataJSON", "attestationObject"], sign: ["clientDataJSON", "authenticatorData", "signature"] };

function say(words) {
  const wrong = form.querySelector("[data-passkey-wrong]");
  wrong.hidden = !words;
  wrong.textContent = words;
}

function wordsFor(error) {
  if (error.name === "InvalidStateError") return "This device has a passkey of this wallet already.";
  if (error.name === "NotAllowedError") return "Nothing was confirmed. Try again when you are ready.";
  return "This browser cannot do that here. Use another one, or a PIN.";
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  say("");
  try {
    const credential = await (form.dataset.passkey === "make" ? make() : sign());
    const parts = PARTS[form.dataset.passkey].map((name) => [name, text(credential.response[name])]);
    form.elements.response.value = JSON.stringify({ rawId: text(credential.rawId), response: Object.fromEntries(parts) });
    form.submit();
  } catch (error) {
    say(wordsFor(error));
  }
});
