// The charts of the last two minutes: requests, failures, latency.
const span = 120; // seconds
const $ = (id) => document.getElementById(id);
const whole = (n) => new Intl.NumberFormat("en").format(Math.round(n));
const time = (ms) => (ms < 1 ? ms.toFixed(2) + " ms" : ms < 10 ? ms.toFixed(1) + " ms" : ms < 1000 ? Math.round(ms) + " ms" : (ms / 1000).toFixed(2) + " s");

// The next of 1, 2 and 5 times a power of ten.
function nice(n) {
  const p = 10 ** Math.floor(Math.log10(Math.max(n, 1)));
  return [1, 2, 5, 10].map((f) => f * p).find((v) => v >= n);
}

export class Charts {
  points = [];
  marks = [];
  constructor() {
    new ResizeObserver(() => this.draw()).observe($("charts"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  clear() { this.points = []; }

  add(points) {
    this.points.push(...points);
    this.points.splice(0, this.points.length - span);
    const p = this.points.at(-1);
    $("now-requests").textContent = whole(p.requests);
    const recent = this.points.reduce((n, q) => n + q.failures, 0);
    $("now-failures").textContent = recent > 0 ? `${whole(p.failures)} now, ${whole(recent)} in 2 min` : "0";
    $("now-latency").textContent = p.requests > 0 ? `50 % ${time(p.median)}, 99 % ${time(p.slow)}` : "";
    this.draw();
  }

  events(events) { this.marks = events.filter((e) => e.weight !== "plain").map((e) => ({ at: Date.parse(e.at), weight: e.weight })); }

  draw() {
    if (!this.points.length) return;
    const top = nice(Math.max(...this.points.map((p) => p.requests), 1));
    this.chart("chart-requests", (v) => v / top, [[top, whole(top)], [top / 2, whole(top / 2)], [0, "0"]], (pen, x, y) => this.line(pen, x, y, "requests", "--m0", true));
    const most = nice(Math.max(...this.points.map((p) => p.failures), 1));
    this.chart("chart-failures", (v) => v / most, [[most, whole(most)], [0, "0"]], (pen, x, y) => this.bars(pen, x, y));
    const high = 10 ** Math.ceil(Math.log10(Math.max(...this.points.map((p) => p.slow), 10)) + 0.001), low = 0.1;
    const log = (v) => Math.log(Math.max(v, low) / low) / Math.log(high / low), grid = [];
    for (let v = low; v <= high; v *= 10) grid.push([v, v < 1 ? "0.1 ms" : v < 1000 ? v + " ms" : v / 1000 + " s"]);
    this.chart("chart-latency", log, grid, (pen, x, y) => {
      this.line(pen, x, y, "slow", "--m1", false, [5, 3]);
      this.line(pen, x, y, "median", "--m0", false);
    });
  }

  chart(id, scale, grid, paint) {
    const canvas = $(id), ratio = devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
    if (!w) return;
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) { canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio); }
    const pen = canvas.getContext("2d"), style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue(name);
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, w, h);
    const left = 52, bottom = 18, end = this.points.at(-1).at;
    const x = (at) => left + (w - left - 4) * (1 - (end - at) / (span * 1000));
    const y = (v) => 8 + (h - 8 - bottom) * (1 - Math.min(1, scale(v)));
    pen.font = "12px system-ui, sans-serif";
    pen.fillStyle = this.colour("--soft");
    pen.strokeStyle = this.colour("--line");
    pen.lineWidth = 1;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const [v, text] of grid) {
      pen.beginPath(); pen.moveTo(left, Math.round(y(v)) + 0.5); pen.lineTo(w - 4, Math.round(y(v)) + 0.5); pen.stroke();
      pen.fillText(text, left - 6, y(v));
    }
    pen.textBaseline = "bottom";
    pen.fillText("now", w - 4, h);
    pen.textAlign = "left";
    pen.fillText("2 min ago", left, h);
    for (const m of this.marks) {
      if (m.at < end - span * 1000 || m.at > end) continue;
      pen.strokeStyle = this.colour("--" + m.weight);
      pen.setLineDash(m.weight === "good" ? [2, 3] : []);
      pen.beginPath(); pen.moveTo(x(m.at), 8); pen.lineTo(x(m.at), h - bottom); pen.stroke();
    }
    pen.setLineDash([]);
    paint(pen, x, y, w, h);
  }

  line(pen, x, y, field, colour, filled, dash = []) {
    const ps = this.points;
    pen.beginPath();
    ps.forEach((p, i) => (i ? pen.lineTo(x(p.at), y(p[field])) : pen.moveTo(x(p.at), y(p[field]))));
    pen.strokeStyle = pen.fillStyle = this.colour(colour);
    pen.lineWidth = 2;
    pen.setLineDash(dash);
    pen.stroke();
    pen.setLineDash([]);
    if (!filled) return;
    pen.lineTo(x(ps.at(-1).at), y(0));
    pen.lineTo(x(ps[0].at), y(0));
    pen.globalAlpha = 0.15;
    pen.fill();
    pen.globalAlpha = 1;
  }

  // What was not executed is filled, an unknown outcome is not.
  bars(pen, x, y) {
    const width = Math.max(2, x(1000) - x(0) - 1);
    pen.fillStyle = pen.strokeStyle = this.colour("--m1");
    pen.lineWidth = 1;
    for (const p of this.points) {
      if (!p.failures) continue;
      const at = x(p.at) - width, sure = y(p.failures - p.unknown);
      pen.fillRect(at, sure, width, y(0) - sure);
      if (p.unknown) pen.strokeRect(at + 0.5, y(p.failures) + 0.5, width - 1, sure - y(p.failures) - 0.5);
    }
  }
}
