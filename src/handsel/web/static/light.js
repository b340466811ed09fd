// The light of the till's screen: colour the page for a frame, and say which colour a camera has surely seen.

const CHANGE_MS_MIN = 500; // At most two changes a second, on and off among them: below three flashes (WCAG 2.2, 2.3.1).
const SEEN_MS = 250; // From the paint to the frame: a screen and a webcam each lag behind by up to a tenth of a second.
const PAINT_MS_MAX = 1000; // A page that nobody sees is not painted, and shows nothing.

const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const isStill = matchMedia("(prefers-reduced-motion: reduce)");

function painted() {
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  return Promise.race([frame().then(frame).then(() => true), wait(PAINT_MS_MAX).then(() => false)]);
}

export class Light {
  constructor(page, note) {
    this.page = page;
    this.note = note;
    this.name = null;
    this.isSeen = false;
    this.changed = -CHANGE_MS_MIN;
    this.timesPutOut = 0;
  }

  // Return the light that a frame is seen in from now on: `wanted`, or null where there is none, or it cannot be said.
  async shine(wanted) {
    if (!wanted || isStill.matches) {
      this.putOut();
      return null;
    }
    if (wanted !== this.name) await this.change(wanted);
    return this.isSeen && wanted === this.name ? wanted : null;
  }

  putOut() {
    this.timesPutOut += 1;
    if (this.name !== null) this.turn(null);
  }

  async change(name) {
    const times = this.timesPutOut;
    await wait(this.changed + CHANGE_MS_MIN - performance.now());
    if (times !== this.timesPutOut) return; // Nobody looks any more.
    this.turn(name);
    const isPainted = await painted();
    this.changed = performance.now();
    await wait(SEEN_MS);
    this.isSeen = isPainted && name === this.name;
  }

  turn(name) {
    this.name = name;
    this.isSeen = false;
    this.changed = performance.now();
    if (name === null) delete this.page.dataset.light;
    else this.page.dataset.light = name;
    this.note.hidden = name === null;
  }
}
