// The pad for a PIN: shown while the agent wants one. What is typed is sent once, and is nowhere on the page after that.

const DIGITS_MAX = 12;

export class PinPad {
  // `send` takes the digits and the session of the screen that asked for them.
  constructor(form, input, wrong, send) {
    Object.assign(this, { form, input, wrong, send, session: "" });
    form.addEventListener("click", (event) => {
      const key = event.target.closest("[data-pin-key]")?.dataset.pinKey;
      if (key) this.write(key === "back" ? this.digits().slice(0, -1) : this.digits() + key);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    input.addEventListener("input", () => this.write(this.digits()));
  }

  show(next) {
    const isNew = next.wants_pin && (this.form.hidden || this.session !== next.session);
    this.form.hidden = !next.wants_pin;
    if (!next.wants_pin || isNew) this.write("");
    if (!isNew) return;
    this.session = next.session;
    this.say("");
    this.input.focus();
  }

  digits() {
    return this.input.value.replace(/\D/g, "");
  }

  write(text) {
    this.input.value = text.slice(0, DIGITS_MAX);
  }

  say(text) {
    this.wrong.hidden = !text;
    this.wrong.textContent = text;
  }

  async submit() {
    const typed = this.digits();
    this.write("");
    if (!typed) {
      this.say("Type your PIN.");
      return;
    }
    try {
      await this.send(typed, this.session);
    } catch (error) {
      this.say(error.message);
    }
  }
}
