// The receipt: local times, and a button that prints.

import { showLocalTimes } from "/static/live.js";

showLocalTimes();
const button = document.querySelector("[data-print]");
button.hidden = false;
button.addEventListener("click", () => window.print());
