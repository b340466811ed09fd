// The wallet's pages: copy the key, count down the code, and follow the palm until it is enrolled or erased.

import { follow, sendOnce, showLocalTimes } from "/static/live.js";

function offerCopy() {
  const button = document.querySelector("[data-copy]");
  if (!button || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    document.querySelector("[data-copied]").textContent = "Copied";
  });
}

let ticking = 0;

function countDown() {
  clearInterval(ticking);
  const clock = document.querySelector("[data-seconds-left]");
  if (!clock) return;
  const end = performance.now() + 1000 * Number(clock.dataset.secondsLeft);
  ticking = setInterval(() => {
    const left = Math.max(0, Math.round((end - performance.now()) / 1000));
    clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
  }, 1000);
}

showLocalTimes();
offerCopy();
countDown();
sendOnce();
follow(countDown);
