// The shop's pages: take the key out of the address, send each charge once, and follow a payment.

import { follow, sendOnce, showLocalTimes } from "/static/live.js";

// What stands behind # is never sent to a server; it goes into the form's body and out of the address and the history.
function signInFromAddress() {
  const form = document.querySelector("[data-key-from-address]");
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!key) return;
  history.replaceState(null, "", location.pathname);
  if (!form) return; // Signed in already.
  form.elements.key.value = key;
  form.requestSubmit();
}

signInFromAddress();
showLocalTimes();
sendOnce();
follow();
