// The dots: each is an identity, or some, drawn in the field of the member that hosts it.
import { trace } from "./shapes.js";

const flight = 800, stagger = 350, glow = 5000; // milliseconds
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const ease = (t) => (t < 0.5 ? 4 * t * t * t : 1 - (-2 * t + 2) ** 3 / 2);

// Field is a member's share of the canvas: a grid of cells, each empty or with a dot.
class Field {
  cells = []; // dots, or undefined
  free = []; // numbers of empty cells, the lowest last
  columns = 1;
  take(dot) {
    dot.cell = this.free.length ? this.free.pop() : this.cells.length;
    this.cells[dot.cell] = dot;
    dot.home = this;
  }
  leave(dot) {
    this.cells[dot.cell] = undefined;
    let at = this.free.length;
    while (at > 0 && this.free[at - 1] < dot.cell) at--;
    this.free.splice(at, 0, dot.cell);
  }
  compact() {
    this.cells = this.cells.filter((d) => d);
    this.free = [];
    this.cells.forEach((d, i) => { d.cell = i; });
  }
  place(dot, size) {
    return [this.x + (dot.cell % this.columns + 0.5) * size, this.y + (Math.floor(dot.cell / this.columns) + 0.5) * size];
  }
}

export class DotMap {
  fields = new Map(); // by address
  samples = new Map();
  dots = new Map(); // by key
  size = 0;
  sprites = new Map();

  constructor(canvas, host, tip, find) {
    Object.assign(this, { canvas, host, tip, find, pen: canvas.getContext("2d") });
    new ResizeObserver(() => this.measure(true)).observe(host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.sprites.clear(); this.wake(); });
    host.addEventListener("pointermove", (e) => this.hover(e));
    host.addEventListener("pointerleave", () => { tip.hidden = true; });
    host.addEventListener("click", (e) => { const d = this.at(e); if (d && d.name && !e.target.closest("button")) find(d.name); });
  }

  members(list, twice) {
    let changed = list.length !== this.fields.size || twice !== this.twice;
    this.twice = twice;
    for (const m of list) {
      let f = this.fields.get(m.address);
      if (!f) { f = new Field(); this.fields.set(m.address, f); changed = true; }
      if (f.acts !== m.acts || f.colour !== m.colour) changed = true;
      Object.assign(f, m);
    }
    for (const address of this.fields.keys()) {
      if (!list.some((m) => m.address === address)) { this.fields.delete(address); this.samples.delete(address); changed = true; }
    }
    if (changed) this.dirty();
    this.measure(false);
  }

  sample(d) {
    const names = d.names && new Map(d.ids.map((id, i) => [id, d.names[i]]));
    this.samples.set(d.address, { ids: d.ids, set: new Set(d.ids), names });
    this.dirty();
  }

  // All that one event of the stream after the other says is taken in at once.
  dirty() {
    if (this.stale) return;
    this.stale = true;
    requestAnimationFrame((now) => { this.stale = false; this.reconcile(now); });
  }

  // Who hosts an identity: a member that may act before one that may not, one in the view before one that is out. Answers come one after
  // the other, so that two name the same identity means nothing unless the page's process has found it to be so.
  reconcile(now) {
    const owners = new Map(), extra = [];
    const order = [...this.samples].filter(([a]) => this.fields.has(a))
      .map(([a, s]) => [this.fields.get(a), s]).sort(([f], [g]) => g.acts - f.acts || (f.away > 1e8) - (g.away > 1e8) || (f.acts ? 0 : f.away - g.away));
    for (const [field, s] of order) {
      for (const id of s.ids) {
        const other = owners.get(id);
        if (!other) { owners.set(id, field); continue; }
        if (!field.acts || !this.twice) continue;
        const dot = this.dots.get(id);
        if (dot && dot.home === field) { owners.set(id, field); extra.push([id, other]); } else extra.push([id, field]);
      }
    }
    const wanted = new Map([...owners].map(([id, f]) => [id, [id, f, false]]));
    for (const [id, f] of extra) wanted.set(id + "@" + f.address, [id, f, true]);
    for (const [key, dot] of this.dots) { // all leave before any arrives, so that cells are used again
      const want = wanted.get(key);
      if (want && want[1] === dot.home) continue;
      dot.home.leave(dot);
      if (!want) this.dots.delete(key);
    }
    let count = 0;
    for (const [key, [id, field, twice]] of wanted) {
      let dot = this.dots.get(key);
      if (dot && dot.home === field) continue;
      if (!dot) {
        dot = { id, born: now, twice };
        this.dots.set(key, dot);
      } else {
        dot.moved = now;
        count++;
      }
      field.take(dot);
      dot.name = this.samples.get(field.address).names?.get(id);
      dot.late = calm.matches ? 0 : (id % 997) / 997 * stagger;
    }
    this.layout(now, false);
    this.moves = (this.moves || 0) + count;
    this.host.dataset.moves = this.moves;
    this.host.dataset.dots = this.dots.size;
    this.wake();
  }

  measure(force) {
    const box = this.host.getBoundingClientRect(), ratio = devicePixelRatio || 1;
    const w = Math.round(box.width * ratio), h = Math.round(box.height * ratio);
    if (this.canvas.width !== w || this.canvas.height !== h) { this.canvas.width = w; this.canvas.height = h; this.sprites.clear(); force = true; }
    this.ratio = ratio;
    for (const f of this.fields.values()) {
      const r = f.field.getBoundingClientRect();
      const x = r.left - box.left, y = r.top - box.top;
      if (f.x !== x || f.y !== y || f.width !== r.width || f.height !== r.height) { Object.assign(f, { x, y, width: r.width, height: r.height }); force = true; }
    }
    if (force) { this.layout(performance.now(), true); this.wake(); }
  }

  // One size for all dots, so that a field that is full is seen to be: the largest that fits, changed only if it has to or is far off.
  layout(now, force) {
    const fits = (s) => [...this.fields.values()].every((f) => !f.width || Math.floor(f.width / s) * Math.floor(f.height / s) >= f.cells.length);
    let size = 26;
    while (size > 3 && !fits(size)) size -= 0.5;
    if (force || size < this.size || size > 1.35 * this.size) {
      this.size = size;
      for (const f of this.fields.values()) f.compact();
      this.sprites.clear();
    }
    for (const f of this.fields.values()) f.columns = Math.max(1, Math.floor(f.width / this.size));
    for (const dot of this.dots.values()) {
      const [x, y] = dot.home.place(dot, this.size);
      if (dot.tx === x && dot.ty === y) continue;
      const far = dot.moved === now;
      if (dot.tx === undefined || calm.matches || (force && !far)) Object.assign(dot, { x, y, fx: x, fy: y, start: 0, took: 0 });
      else Object.assign(dot, { fx: dot.x, fy: dot.y, start: now + (far ? dot.late : 0), took: far ? flight : 300 });
      dot.tx = x;
      dot.ty = y;
    }
  }

  wake() {
    if (this.running) return;
    this.running = true;
    requestAnimationFrame((now) => this.frame(now));
  }

  frame(now) {
    const busy = this.draw(now);
    if (busy) requestAnimationFrame((t) => this.frame(t));
    else this.running = false;
  }

  draw(now) {
    const { pen, ratio } = this;
    let busy = false;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    let lit;
    for (const dot of this.dots.values()) {
      let t = 1;
      if (dot.took) {
        t = Math.min(1, Math.max(0, (now - dot.start) / dot.took));
        const e = ease(t), arc = dot.took === flight ? Math.sin(Math.PI * e) * Math.min(40, Math.abs(dot.tx - dot.fx) * 0.12) : 0;
        dot.x = dot.fx + (dot.tx - dot.fx) * e;
        dot.y = dot.fy + (dot.ty - dot.fy) * e - arc;
        if (t < 1) busy = true; else dot.took = 0;
      }
      const ring = dot.moved && now - dot.moved < glow, fresh = now - dot.born < 300;
      if (ring || fresh) busy = true;
      const s = this.sprite(dot.home.colour, !dot.home.acts, ring || dot.twice ? (dot.twice ? "twice" : "ring") : "");
      const scale = fresh && !calm.matches ? (now - dot.born) / 300 : 1;
      const side = s.width * scale;
      pen.drawImage(s, dot.x * ratio - side / 2, dot.y * ratio - side / 2, side, side);
      if (this.lit !== undefined && dot.id === this.lit) lit = dot;
    }
    if (lit) this.spot(lit);
    return busy;
  }

  sprite(colour, hollow, extra) {
    const key = `${colour} ${hollow} ${extra}`;
    let s = this.sprites.get(key);
    if (s) return s;
    const style = getComputedStyle(document.documentElement), r = this.size * 0.36 * this.ratio, c = Math.ceil(this.size * 0.6 * this.ratio);
    s = document.createElement("canvas");
    s.width = s.height = 2 * c;
    const pen = s.getContext("2d");
    pen.fillStyle = pen.strokeStyle = colour < 0 ? style.getPropertyValue("--soft") : style.getPropertyValue("--m" + (colour % 8));
    pen.lineWidth = Math.max(1, r * 0.3);
    pen.beginPath();
    trace(pen, Math.max(0, colour), c, c, hollow ? r * 0.85 : r);
    if (hollow) pen.stroke(); else pen.fill();
    if (extra) {
      pen.beginPath();
      pen.strokeStyle = style.getPropertyValue(extra === "twice" ? "--worst" : "--ink");
      pen.lineWidth = Math.max(1, this.ratio * (extra === "twice" ? 2 : 1));
      pen.arc(c, c, Math.min(c - 1, r * 1.45), 0, 2 * Math.PI);
      pen.stroke();
    }
    this.sprites.set(key, s);
    return s;
  }

  // The identity that was looked for has a ring and its name beside it.
  spot(dot) {
    const { pen, ratio } = this, style = getComputedStyle(document.documentElement);
    const x = dot.x * ratio, y = dot.y * ratio, r = Math.max(9, this.size * 0.75) * ratio;
    pen.lineWidth = 3 * ratio;
    pen.strokeStyle = style.getPropertyValue("--paper");
    pen.beginPath(); pen.arc(x, y, r + 2 * ratio, 0, 2 * Math.PI); pen.stroke();
    pen.strokeStyle = style.getPropertyValue("--ink");
    pen.beginPath(); pen.arc(x, y, r, 0, 2 * Math.PI); pen.stroke();
    if (!this.label) return;
    pen.font = `600 ${14 * ratio}px system-ui, sans-serif`;
    const w = pen.measureText(this.label).width + 14 * ratio, h = 24 * ratio;
    const left = Math.min(Math.max(2, x + r + 5 * ratio), this.canvas.width - w - 2), flip = x + r + w + 5 * ratio > this.canvas.width;
    const lx = flip ? x - r - w - 5 * ratio : left;
    pen.fillStyle = style.getPropertyValue("--ink");
    pen.beginPath(); pen.roundRect(lx, y - h / 2, w, h, 6 * ratio); pen.fill();
    pen.fillStyle = style.getPropertyValue("--paper");
    pen.textBaseline = "middle";
    pen.fillText(this.label, lx + 7 * ratio, y + ratio);
  }

  highlight(id, label) {
    if (this.lit === id && this.label === label) return;
    this.lit = id;
    this.label = label;
    this.wake();
  }

  at(e) {
    const box = this.host.getBoundingClientRect(), x = e.clientX - box.left, y = e.clientY - box.top;
    let best, least = (Math.max(8, this.size * 0.7)) ** 2;
    for (const d of this.dots.values()) {
      const away = (d.x - x) ** 2 + (d.y - y) ** 2;
      if (away < least) { least = away; best = d; }
    }
    return best;
  }

  hover(e) {
    const d = this.at(e);
    this.tip.hidden = !d;
    this.host.style.cursor = d && d.name ? "pointer" : "";
    if (!d) return;
    this.tip.textContent = `${d.name || "an identity"} on ${d.home.name}${d.home.acts ? "" : " when it was last heard"}`;
    this.tip.style.left = d.x + "px";
    this.tip.style.top = d.y + "px";
  }
}
