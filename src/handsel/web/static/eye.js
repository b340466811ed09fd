// The eye of the till: this machine's camera, or a hand drawn by a program. Pictures go to whoever asks `grab`, nowhere else.

const SIDE_PX_MAX = 960;
const JPEG_QUALITY = 0.85;
const SHOTS_MAX = 1000; // As in simulated_camera.py.

function release(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

export class Webcam {
  constructor(video) {
    this.video = video;
    this.canvas = document.createElement("canvas");
    this.stream = null;
    this.isWanted = false;
  }

  async open() {
    this.isWanted = true;
    const wanted = { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } };
    const stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    if (!this.isWanted || this.stream) {
      release(stream); // Closed, or opened again, while the browser was asking.
      return;
    }
    this.stream = stream;
    this.video.srcObject = stream;
    this.video.hidden = false;
    await this.video.play();
  }

  close() {
    this.isWanted = false;
    release(this.stream);
    this.stream = null;
    this.video.srcObject = null;
    this.video.hidden = true;
  }

  get isReady() {
    return Boolean(this.stream && this.video.videoWidth);
  }

  async grab() {
    if (!this.isReady) return null;
    const { videoWidth: width, videoHeight: height } = this.video;
    const scale = Math.min(1, SIDE_PX_MAX / Math.max(width, height));
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    this.canvas.getContext("2d").drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    return new Promise((done) => this.canvas.toBlob(done, "image/jpeg", JPEG_QUALITY));
  }
}

export class DrawnHand {
  constructor(picture, choice) {
    this.picture = picture;
    this.choice = choice;
    this.person = null;
    this.card = null; // A picture of a card, to be held out once.
    this.shot = Math.floor(Math.random() * SHOTS_MAX);
    for (const button of choice.querySelectorAll("[data-person]")) {
      button.addEventListener("click", () => this.hold(button.dataset.person));
    }
    choice.querySelector("[data-card-file]")?.addEventListener("change", (event) => {
      this.card = event.target.files[0] ?? null;
      event.target.value = "";
    });
  }

  hold(person) {
    this.person = person;
    for (const button of this.choice.querySelectorAll("[data-person]")) {
      button.setAttribute("aria-pressed", String(button.dataset.person === person));
    }
  }

  async open() {
    this.choice.hidden = false;
  }

  close() {
    this.hold(null);
    this.choice.hidden = true;
    this.picture.hidden = true;
    URL.revokeObjectURL(this.picture.src);
  }

  async grab() {
    const card = this.card;
    this.card = null;
    if (card) return card;
    if (this.person === null) return null;
    const answer = await fetch(`/v1/simulated/${this.person}/${this.shot}.jpg`);
    if (!answer.ok || this.person === null) return null;
    this.shot = (this.shot + 1) % SHOTS_MAX;
    const frame = await answer.blob();
    URL.revokeObjectURL(this.picture.src);
    this.picture.src = URL.createObjectURL(frame);
    this.picture.hidden = false;
    return frame;
  }
}
