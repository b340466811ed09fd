// Present a receipt: read the file that was chosen into the form, where it can be seen before it is sent.

import { showLocalTimes } from "/static/live.js";

const BYTES_MAX = 65536; // Longer than any receipt.

const part = document.querySelector("[data-file-part]");
if (part) {
  part.hidden = false;
  part.querySelector("input").addEventListener("change", async (event) => {
    const file = event.target.files[0];
    if (file && file.size <= BYTES_MAX) document.getElementById("receipt").value = await file.text();
  });
}
showLocalTimes();
