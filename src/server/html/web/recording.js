// The page of a recording: asciinema-player on a part of it at a time, so that a night's recording
// begins at once and takes little room; the times of the page are those of the whole.
const host = document.getElementById("player");
const toggle = document.getElementById("toggle");
const place = document.getElementById("place");
const clock = document.getElementById("clock");
const speed = document.getElementById("speed");
const idle = document.getElementById("idle");
const find = document.getElementById("find");
const said = document.getElementById("said");
const commands = [...document.querySelectorAll("#commands a[data-at]")];
const LENGTH = Number(host.dataset.length) / 1000;
// Bytes of one part; it is held in memory.
const PART = 4 << 20;
// What is longer without anything happening is cut to this, when that is wanted.
const IDLE = 1;

let part;
let player;
let playing = false;
let turn = 0;

const words = (seconds) => {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n) => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
};

const load = async (from) => {
  const answer = await fetch(`${host.dataset.cast}?from=${from}&most=${PART}`, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const lines = (await answer.text()).split("\n").filter(Boolean);
  const header = JSON.parse(lines.shift());
  const events = [];
  let [at, next] = [from, null];
  for (const line of lines) {
    if (line.startsWith("#")) {
      const found = /^# next ([0-9.]+)$/.exec(line);
      if (found) next = Number(found[1]);
    } else {
      const [since, code, data] = JSON.parse(line);
      at += since;
      events.push([at, code, data]);
    }
  }
  return { from, next, header, events };
};

// What the player is given, with the idle times cut out when that is wanted.
const cast = () => {
  let [last, shown] = [part.from, 0];
  part.shown = [];
  const lines = [JSON.stringify(part.header)];
  for (const [at, code, data] of part.events) {
    const since = idle.checked ? Math.min(at - last, IDLE) : at - last;
    [last, shown] = [at, shown + since];
    part.shown.push(shown);
    lines.push(JSON.stringify([since, code, data]));
  }
  return lines.join("\n");
};

const toShown = (at) => {
  const n = part.events.findIndex(([when]) => when > at);
  const before = (n < 0 ? part.events.length : n) - 1;
  const [from, shown] = before < 0 ? [part.from, 0] : [part.events[before][0], part.shown[before]];
  return shown + (idle.checked ? Math.min(at - from, IDLE) : at - from);
};

const toReal = (shown) => {
  const n = part.shown.findIndex((when) => when > shown);
  const before = (n < 0 ? part.shown.length : n) - 1;
  return before < 0 ? part.from + shown : part.events[before][0] + (shown - part.shown[before]);
};

const draw = (at) => {
  place.value = String(Math.min(at, LENGTH));
  place.setAttribute("aria-valuetext", words(at));
  clock.textContent = words(at);
  let here;
  for (const link of commands) if (Number(link.dataset.at) / 1000 <= at + 0.001) here = link;
  for (const link of commands) {
    if (link === here) link.parentElement.setAttribute("aria-current", "true");
    else link.parentElement.removeAttribute("aria-current");
  }
};

const label = () => {
  toggle.setAttribute("aria-label", playing ? "Pause" : "Play");
  toggle.dataset.playing = String(playing);
};

const open = async (at) => {
  player?.dispose();
  host.replaceChildren();
  const mine = AsciinemaPlayer.create({ data: cast() }, host, {
    controls: false, fit: "width", preload: true, speed: Number(speed.value),
    terminalFontFamily: "var(--mono)",
  });
  player = mine;
  // The player has a button of its own, and keys.
  player.addEventListener("playing", () => { playing = true; label(); });
  player.addEventListener("pause", () => { playing = false; label(); });
  player.addEventListener("ended", () => {
    if (part.next === null) { playing = false; label(); draw(LENGTH); } else go(part.next);
  });
  const goes = playing;
  // A hair later, so that what happens at this very moment is there.
  await mine.seek(toShown(at) + 0.001);
  if (goes && mine === player) await mine.play();
};

// Shows this second of the recording.
const go = async (at) => {
  const mine = turn += 1;
  const holds = part && at >= part.from && (part.next === null || at < part.next);
  try {
    if (holds && player) {
      draw(at);
      await player.seek(toShown(at) + 0.001);
      if (playing) await player.play();
      return;
    }
    said.textContent = "Loading.";
    const loaded = await load(at);
    if (mine !== turn) return;
    part = loaded;
    said.textContent = "";
    await open(at);
    draw(at);
  } catch (error) {
    playing = false;
    label();
    said.textContent = `It cannot be shown: ${error.message}.`;
  }
};

const now = async () => toReal(await player.getCurrentTime());

const asked = () => {
  const found = /^#t=([0-9.]+)$/.exec(location.hash);
  return found ? Math.min(Number(found[1]), LENGTH) : null;
};

toggle.addEventListener("click", async () => {
  if (!player) return;
  playing = !playing;
  label();
  if (!playing) return void player.pause();
  if (Number(place.value) >= LENGTH) return void go(0);
  player.play();
});
place.addEventListener("input", () => { clock.textContent = words(Number(place.value)); });
place.addEventListener("change", () => go(Number(place.value)));
for (const choice of [speed, idle]) {
  choice.addEventListener("change", async () => { if (player) await open(await now()); });
}
addEventListener("hashchange", () => { const at = asked(); if (at !== null) go(at); });

find.form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = find.value;
  if (text.length < 2 || !player) return void (said.textContent = "Two characters or more.");
  // What is found is there at this very moment, and is not to be found again.
  let from = await now() + 0.002;
  said.textContent = "Searching.";
  while (from !== null) {
    const query = new URLSearchParams({ q: text, from: from.toFixed(3), limit: "1" });
    const answer = await fetch(`${host.dataset.search}?${query}`, { credentials: "same-origin" });
    if (!answer.ok) return void (said.textContent = `It cannot be searched: the server answered ${answer.status}.`);
    const { places: [hit], next_ms } = await answer.json();
    if (hit) {
      said.textContent = `Found at ${words(hit.at_ms / 1000)}: ${hit.line}`;
      location.hash = `t=${(hit.at_ms / 1000).toFixed(3)}`;
      return;
    }
    from = next_ms === null ? null : next_ms / 1000;
  }
  said.textContent = "It is not found from here on.";
});

setInterval(async () => { if (playing && player) draw(await now()); }, 250);
label();
go(asked() ?? 0);
