// A shop's link brings its code behind the #, which is sent to no server; it goes into the form, for its owner to send.

import { showLocalTimes } from "/static/live.js";

showLocalTimes();
const code = location.hash.slice(1);
if (code) {
  history.replaceState(null, "", location.pathname);
  document.getElementById("code").value = code;
}
