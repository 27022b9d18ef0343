// The buttons of the lab, where the page is served by one; elsewhere there is nothing at this address, and no buttons.
const address = "lab/actions";

export class Lab {
  actions = [];
  fields = new Map(); // of members' buttons, by name
  drawn = "";

  constructor(bar, tell) {
    Object.assign(this, { bar, tell });
    this.load();
  }

  async load() {
    clearTimeout(this.timer);
    try {
      const response = await fetch(address);
      if (response.status === 404) return; // there is no lab
      const got = await response.json();
      this.token = got.token;
      this.actions = got.actions || [];
      this.draw();
    } catch { /* it is asked again */ }
    this.timer = setTimeout(() => this.load(), 3000);
  }

  place(fields) {
    this.fields = fields;
    if (this.actions.length) this.draw();
  }

  // A button stands in the card of the member that it is about, or in the bar. They are made anew only if they are others, so that focus stays.
  draw() {
    const there = [...this.fields.keys()].filter((name) => this.actions.some((a) => (a.targets || []).includes(name)));
    const now = JSON.stringify([this.actions, there, this.token]);
    if (now === this.drawn && there.every((name) => this.fields.get(name).childElementCount)) return;
    this.drawn = now;
    for (const field of this.fields.values()) field.replaceChildren();
    const rest = [];
    for (const a of this.actions) {
      const targets = a.targets && a.targets.length ? a.targets : a.targets ? [] : [""];
      const others = targets.filter((t) => !this.fields.has(t));
      for (const t of targets) if (this.fields.has(t)) this.fields.get(t).append(this.button(a, t, a.label, `${a.label} ${t}`));
      if (!others.length) continue;
      if (others[0] !== "") rest.push(Object.assign(document.createElement("span"), { className: "what", textContent: a.label }));
      for (const t of others) rest.push(this.button(a, t, t || a.label, `${a.label} ${t}`));
    }
    this.bar.hidden = !rest.length;
    this.bar.replaceChildren(...rest);
  }

  button(action, target, text, name) {
    const b = document.createElement("button");
    b.type = "button";
    b.textContent = text;
    b.title = action.help || "";
    b.dataset.action = action.id;
    b.dataset.target = target;
    b.setAttribute("aria-label", name);
    b.addEventListener("click", () => this.act(action, target, b));
    return b;
  }

  async act(action, target, button) {
    button.disabled = true;
    this.tell(`${action.label} ${target} …`);
    try {
      const response = await fetch(address, {
        method: "POST", headers: { "Content-Type": "application/json", "X-Lab-Token": this.token }, body: JSON.stringify({ id: action.id, target }),
      });
      const answer = await response.json().catch(() => ({}));
      if (response.ok) this.tell(answer.message || "done");
      else this.tell(answer.error || `the lab answers ${response.status}`, true);
    } catch {
      this.tell("the lab does not answer", true);
    }
    button.disabled = false;
    this.load();
  }
}
