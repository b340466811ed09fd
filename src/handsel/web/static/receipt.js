// The receipt: local times, a button that prints, and the return code, which stands behind the # of the till's link and
// so was sent to nobody.

import { showLocalTimes } from "/static/live.js";

showLocalTimes();
const button = document.querySelector("[data-print]");
button.hidden = false;
button.addEventListener("click", () => window.print());

const code = location.hash.slice(1);
if (/^[a-z2-7]{20}$/.test(code)) {
  for (const place of document.querySelectorAll("[data-return], [data-return-code]")) place.hidden = false;
  document.querySelector("[data-return-code]")?.append(code.replace(/(.{4})(?=.)/g, "$1 "));
}
