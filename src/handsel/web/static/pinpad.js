// The pad for a PIN: shown while the agent wants one. What is typed is sent once, and forgotten.
//
// The field holds dots only. A field for passwords would have the browser offer to keep the PIN, at a till.

const DIGITS_MAX = 12;
const DOT = "•";

export class PinPad {
  // `send` takes the digits and the session of the screen that asked for them.
  constructor(form, input, wrong, send) {
    Object.assign(this, { form, input, wrong, send, session: "", typed: "" });
    form.addEventListener("click", (event) => {
      const key = event.target.closest("[data-pin-key]")?.dataset.pinKey;
      if (key) this.write(key === "back" ? this.typed.slice(0, -1) : this.typed + key);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    input.addEventListener("input", () => {
      const left = input.value.split(DOT).length - 1;
      this.write(this.typed.slice(0, left) + input.value.replace(/\D/g, ""));
    });
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

  write(digits) {
    this.typed = digits.slice(0, DIGITS_MAX);
    this.input.value = DOT.repeat(this.typed.length);
  }

  say(text) {
    this.wrong.hidden = !text;
    this.wrong.textContent = text;
  }

  async submit() {
    const { typed } = this;
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
