// The page: what the stream says goes to the cards, the map, the charts and the timeline.
import { DotMap } from "./map.js";
import { Charts } from "./charts.js";
import { Lab } from "./lab.js";
import { mark } from "./shapes.js";

const $ = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = text;
  return e;
};
const set = (e, text) => { if (e.textContent !== text) e.textContent = text; };
const number = new Intl.NumberFormat("en");
const whole = (n) => number.format(Math.round(n));
const short = (epoch) => (epoch.length > 6 ? "…" + epoch.slice(-6) : epoch);
const clock = (t) => { const d = new Date(t); return d.toTimeString().slice(0, 8) + "." + Math.floor(d.getMilliseconds() / 100); };
const seconds = (ms) => (ms < 9950 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)) + " s";

const map = new DotMap($("dots"), $("map"), $("tip"), (name) => find(name));
const charts = new Charts();
const lab = new Lab($("lab"), (text, bad) => notice(text, bad));
const cards = new Map(); // by address
let state;

function notice(text, bad) {
  $("notice").hidden = !text;
  $("notice").className = bad ? "bad" : "";
  set($("notice"), text || "");
}

// A card is made once and changed afterwards, so that focus and selection stay.
function newCard(address) {
  const card = make("article", "card");
  card.dataset.address = address;
  const head = make("header"), icon = mark(-1), name = make("h3"), pill = make("span", "pill");
  head.append(icon, name, pill);
  const sum = make("div", "sum"), n = make("b"), unit = make("span");
  sum.append(n, unit);
  const line = make("div", "line"), rate = make("span"), epoch = make("span"), lease = make("span", "lease"), note = make("span");
  line.append(rate, epoch, lease, note);
  const bar = make("i"), left = make("span"), field = make("div", "field"), acts = make("div", "acts");
  card.append(head, sum, line, field, acts);
  return { card, icon, name, pill, n, unit, epoch, lease, bar, left, rate, note, field, acts, colour: -1 };
}

// What people are told of a member, and the class that goes with it.
function status(m) {
  if (!m.answers && m.heard) return [m.status === "out" ? "out" : "silent", (m.status === "out" ? "out of the view" : "not answering") + ", " + seconds(m.silent)];
  if (m.status === "out") return ["out", "answers, but out of the view"];
  if (!m.heard) return m.trouble ? ["silent", "never answered"] : ["changing", m.status];
  if (m.status !== "up") return ["changing", m.status];
  return ["up", "up"];
}

function showCard(m) {
  let c = cards.get(m.address);
  if (!c) {
    c = newCard(m.address);
    cards.set(m.address, c);
  }
  const [kind, text] = status(m);
  const className = `card ${kind} c${m.colour < 0 ? "" : m.colour % 8}`;
  if (c.card.className !== className) c.card.className = className;
  c.card.dataset.member = m.name;
  c.card.dataset.state = kind;
  c.card.title = `${m.address}, id ${m.id || "unknown"}${m.trouble ? "\n" + m.trouble : ""}`;
  if (c.colour !== m.colour) {
    c.colour = m.colour;
    const icon = mark(m.colour);
    c.icon.replaceWith(icon);
    c.icon = icon;
  }
  set(c.name, m.name);
  set(c.pill, text);
  set(c.n, m.heard ? whole(m.identities) : "–");
  set(c.unit, (m.identities === 1 ? "identity" : "identities") + (m.answers || !m.heard ? "" : " when last heard"));
  set(c.epoch, m.heard ? "epoch " + short(m.epoch) : "");
  c.epoch.title = m.epoch;
  showLease(c, m);
  set(c.rate, m.answers ? whole(m.rate) + " msg/s" : "");
  set(c.note, m.storeOut > 0 && m.answers ? "no view store for " + seconds(m.storeOut) : "");
  return c;
}

let longest = 1000; // of all leases so far, in milliseconds: what a full bar is

function showLease(c, m) {
  c.lease.hidden = !m.leases || !m.answers;
  if (c.lease.hidden) return;
  c.lease.className = m.leased ? "lease" : "lease none";
  if (m.leased) {
    if (c.bar.parentNode !== c.lease) c.lease.replaceChildren("lease ", c.bar, c.left);
    longest = Math.max(longest, m.lease);
    c.bar.style.setProperty("--left", m.lease / longest);
    set(c.left, (m.lease / 1000).toFixed(2) + " s");
  } else if (c.lease.textContent !== "no lease") c.lease.replaceChildren("no lease");
}

function showState(s) {
  state = s;
  document.title = `${s.cluster} · live`;
  set($("cluster"), s.cluster);
  const up = s.members.filter((m) => m.status === "up" && m.answers).length, all = s.members.filter((m) => m.status !== "out").length;
  set($("fact-members"), up === all ? String(all) : `${up} of ${all}`);
  set($("fact-epoch"), short(s.epoch));
  $("fact-epoch").title = s.epoch;
  set($("fact-identities"), whole(s.identities));
  const host = $("cards"), seen = new Set(), n = s.members.length;
  const columns = n <= 4 ? Math.max(1, n) : n <= 6 ? 3 : n <= 8 ? 4 : n <= 15 ? 5 : 5;
  host.style.setProperty("--columns", columns);
  host.classList.toggle("many", n > 6);
  s.members.forEach((m, i) => {
    const c = showCard(m);
    seen.add(m.address);
    if (host.children[i] !== c.card) host.insertBefore(c.card, host.children[i] || null);
  });
  for (const [address, c] of cards) if (!seen.has(address)) { c.card.remove(); cards.delete(address); }
  if (n === 0) host.replaceChildren(make("p", "", "No member is known yet."));
  else if (host.firstChild && !host.firstChild.dataset.address) host.firstChild.remove();
  map.members(s.members.map((m) => ({ address: m.address, name: m.name, colour: m.colour, acts: m.answers && !(m.leases && !m.leased && m.identities > 0), away: (m.status === "out" ? 1e9 : 0) + m.silent, field: cards.get(m.address).field })), s.twice > 0);
  lab.place(new Map(s.members.map((m) => [m.name, cards.get(m.address).acts])));
  $("legend").hidden = false;
  set($("legend-dots"), (s.each > 1 ? `One dot stands for ${whole(s.each)} identities, chosen by hash.` : "One dot is one identity.") +
    " A ring says that it has just moved; a hollow dot is where one was last seen." +
    (s.twice > 0 ? ` ${s.twice} are active on two members.` : ""));
  $("app").hidden = false;
  document.documentElement.dataset.ready = "true";
}

const happened = [];
function showEvents(events) {
  happened.push(...events);
  happened.sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : b.id - a.id));
  happened.length = Math.min(happened.length, 200);
  $("happened").replaceChildren(...happened.map((e) => {
    const li = make("li", e.weight);
    const time = make("time", "", clock(e.at));
    time.dateTime = e.at;
    li.append(time, make("span", "", e.text));
    if (e.epoch) li.title = "epoch " + e.epoch;
    return li;
  }));
  charts.events(happened);
}

// The identity that people look at is asked for again as long as they do.
let wanted = "", asking = 0;
async function find(q) {
  if (q !== wanted && !q) return;
  wanted = q;
  $("q").value = q;
  const mine = ++asking;
  let answer;
  try {
    const response = await fetch("identity?q=" + encodeURIComponent(q));
    answer = await response.json();
  } catch {
    answer = { error: "the page's process does not answer" };
  }
  if (mine !== asking || wanted !== q) return;
  $("found").hidden = false;
  $("app").classList.add("finding");
  set($("found-name"), answer.identity || q);
  set($("found-answer"), answer.error || answer.answer + (answer.unasked.length ? `. Not asked, for they do not answer: ${answer.unasked.join(", ")}` : "") + ".");
  showStays(answer.stays || []);
  map.highlight(answer.dot, answer.identity);
  clearTimeout(find.timer);
  if (!answer.error) find.timer = setTimeout(() => wanted === q && find(q), 700);
}

function showStays(stays) {
  $("stays").replaceChildren(...stays.map((s, i) => {
    const past = !(s.lives && s.seen);
    const e = make("div", `stay c${s.colour < 0 ? "" : s.colour % 8}${past ? " past" : ""}`);
    e.append(make("h3", "", s.name + (past ? (s.lives ? ", last seen there" : ", before") : "")));
    const dl = make("dl");
    const row = (term, text) => dl.append(make("dt", "", term), make("dd", "", text));
    row("why", s.why);
    row("activation", s.token ? "fencing token " + s.token : "without a fencing token");
    row("epoch", s.epoch);
    row("since", clock(s.began) + (s.ended ? " until " + clock(s.ended) : ""));
    if (s.end) row("end", s.end);
    row("messages", whole(s.handled));
    e.append(dl);
    if (i < 3 && s.last.length) {
      const table = make("table");
      for (const m of s.last) {
        const tr = make("tr");
        tr.append(make("td", "", clock(m.at)), make("td", "", m.type), make("td", "", m.outcome), make("td", "", m.took < 1 ? Math.round(m.took * 1000) + " µs" : m.took.toFixed(1) + " ms"));
        table.append(tr);
      }
      e.append(table);
    }
    return e;
  }));
}

function closeFound() {
  wanted = "";
  asking++;
  clearTimeout(find.timer);
  $("found").hidden = true;
  $("app").classList.remove("finding");
  map.highlight(undefined);
}

$("search").addEventListener("submit", (e) => {
  e.preventDefault();
  const q = $("q").value.trim();
  history.replaceState(null, "", q ? "?q=" + encodeURIComponent(q) : "./");
  if (q) find(q); else closeFound();
});
$("close").addEventListener("click", () => { closeFound(); $("q").focus(); });
document.addEventListener("keydown", (e) => {
  const typing = e.target instanceof HTMLInputElement;
  if (e.key === "/" && !typing && !e.ctrlKey && !e.metaKey && !e.altKey) { e.preventDefault(); slash = true; }
  if (e.key === "Escape") { closeFound(); if (typing) e.target.blur(); }
});

// Only now, lest the key be typed into the field.
let slash = false;
document.addEventListener("keyup", (e) => {
  if (e.key === "/" && slash) { $("q").focus(); $("q").select(); }
  slash = false;
});

function live(on, text) {
  $("live").className = on ? "on" : "";
  set($("live"), text);
}

const stream = new EventSource("events");
const on = (name, handle) => stream.addEventListener(name, (e) => handle(JSON.parse(e.data)));
stream.addEventListener("open", () => { happened.length = 0; charts.clear(); live(true, "live"); });
stream.addEventListener("error", () => live(false, stream.readyState === EventSource.CLOSED ? "ended; load the page again" : "connecting again…"));
on("state", showState);
on("dots", (d) => map.sample(d));
on("events", showEvents);
on("points", (points) => charts.add(points));
live(false, "connecting…");
if ($("q").value.trim()) find($("q").value.trim());
