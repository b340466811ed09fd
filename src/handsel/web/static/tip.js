// The tips that a till offers: buttons for each, for none, and a keypad for another amount. None is pressed at first.

const DIGITS_MAX = 6; // Of minor units: more than may be paid at once.

export class Tips {
  // `choose` tells the agent a tip in minor units; `money` writes an amount; `changed` is called when the keypad opens or closes.
  constructor(panel, keypad, { choose, money, changed }) {
    this.panel = panel;
    this.keypad = keypad;
    this.input = keypad.querySelector("input");
    this.wrong = keypad.querySelector("[data-tip-wrong]");
    this.choose = choose;
    this.money = money;
    this.changed = changed;
    this.isTyping = false;
    this.shown = "";
    panel.addEventListener("click", (event) => this.press(event.target.closest("button")));
    keypad.addEventListener("click", (event) => this.type(event.target.closest("[data-tip-key]")?.dataset.tipKey));
    keypad.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.input.addEventListener("input", () => this.write(this.digits()));
  }

  // Show what is offered in `state`; the same buttons stay in place, so that focus and a press are not lost.
  show(state) {
    this.isTyping = this.isTyping && state.tip_minor_max > 0;
    this.panel.hidden = this.isTyping || !state.tip_minor_max;
    this.keypad.hidden = !this.isTyping;
    this.state = state;
    if (!state.tip_minor_max) return;
    const key = JSON.stringify([state.tips, state.currency, state.tip_minor_max]);
    if (key !== this.shown) this.build(state);
    this.shown = key;
    const others = state.tips.every((choice) => choice.amount_minor !== state.tip_minor) && state.tip_minor > 0;
    for (const button of this.panel.querySelectorAll("button")) {
      const isPressed = button.dataset.tip === "other" ? others : Number(button.dataset.tip) === state.tip_minor;
      button.setAttribute("aria-pressed", String(isPressed));
    }
  }

  build(state) {
    const row = this.panel.querySelector(".row");
    const choices = state.tips.map((choice) => {
      const amount = this.money(choice.amount_minor, state.currency);
      return [choice.amount_minor, choice.percent ? `${choice.percent} % · ${amount}` : amount];
    });
    row.replaceChildren(...[[0, "No tip"], ...choices, ["other", "Another amount"]].map(([tip, words]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button quiet";
      button.dataset.tip = tip;
      button.textContent = words;
      return button;
    }));
  }

  press(button) {
    if (!button) return;
    if (button.dataset.tip !== "other") {
      this.choose(Number(button.dataset.tip));
      return;
    }
    this.isTyping = true;
    this.say("");
    this.write("");
    this.changed();
    this.input.focus();
  }

  type(key) {
    if (key === "leave") this.leave();
    else if (key === "back") this.write(this.digits().slice(0, -1));
    else if (key && key !== "go") this.write(this.digits() + key);
  }

  digits() {
    return this.input.value.replace(/\D/g, "").replace(/^0+/, "").slice(0, DIGITS_MAX);
  }

  write(digits) {
    const held = digits.replace(/^0+/, "").slice(0, DIGITS_MAX);
    this.input.value = held ? this.money(Number(held), this.state.currency) : "";
  }

  say(text) {
    this.wrong.hidden = !text;
    this.wrong.textContent = text;
    this.input.toggleAttribute("aria-invalid", Boolean(text));
  }

  send() {
    const tip = Number(this.digits());
    if (!tip || tip > this.state.tip_minor_max) {
      this.say(`Type a tip of at most ${this.money(this.state.tip_minor_max, this.state.currency)}, or go back.`);
      return;
    }
    this.leave();
    this.choose(tip);
  }

  leave() {
    this.isTyping = false;
    this.changed();
    this.panel.querySelector('[data-tip="other"]')?.focus();
  }
}
