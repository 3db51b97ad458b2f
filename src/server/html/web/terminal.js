// The terminal page: xterm.js on a WebSocket that comes back by itself.
import { Terminal } from "./xterm.mjs";
import { FitAddon } from "./addon-fit.mjs";
import { WebLinksAddon } from "./addon-web-links.mjs";

const host = document.getElementById("main");
const screen = document.getElementById("screen");
const state = document.getElementById("connection");
const size = document.getElementById("size");
const reader = document.getElementById("reader");
const READER = "steading.reader";
// A message larger than this is sent in pieces: the server bounds what it reads at once.
const PIECE = 4096;
const shared = document.getElementById("shared");
const seats = document.getElementById("seats");
const said = document.getElementById("said");
// So long after a key someone is shown to type.
const TYPING_MS = 5_000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

const remembered = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
const remember = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private mode */ } };

const terminal = new Terminal({
  allowProposedApi: false,
  cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
  fontFamily: getComputedStyle(document.body).getPropertyValue("--mono") || "monospace",
  fontSize: 14,
  scrollback: 10_000,
  screenReaderMode: remembered(READER) === "on",
  macOptionIsMeta: true,
  rightClickSelectsWord: false,
  theme: {
    background: "#0d1317", foreground: "#e5e4df", cursor: "#f0bd45", cursorAccent: "#0d1317",
    selectionBackground: "#2f5666",
    black: "#1b2328", red: "#f0938c", green: "#86d39a", yellow: "#e8c77d",
    blue: "#8fbbec", magenta: "#d8a6cf", cyan: "#84cbd6", white: "#d4d3ce",
    brightBlack: "#8d979d", brightRed: "#f7b1ab", brightGreen: "#a6e3b5", brightYellow: "#f2d99c",
    brightBlue: "#b1d1f5", brightMagenta: "#e7c4e0", brightCyan: "#a9dfe7", brightWhite: "#f6f5f1",
  },
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.loadAddon(new WebLinksAddon((event, uri) => {
  event.preventDefault();
  window.open(uri, "_blank", "noopener,noreferrer");
}));
terminal.open(screen);
fit.fit();
// The window's own size. The terminal has that of the smallest window of those who type.
let own = { cols: terminal.cols, rows: terminal.rows };

let socket;
let attempt = 0;
let timer;
let ended = false;

const say = (kind, text) => {
  state.dataset.state = kind;
  state.textContent = text;
};

const url = () => {
  const at = new URL(host.dataset.xterm, location.href);
  at.protocol = at.protocol === "https:" ? "wss:" : "ws:";
  at.searchParams.set("reconnect", host.dataset.terminal);
  at.searchParams.set("width", own.cols);
  at.searchParams.set("height", own.rows);
  at.searchParams.set("seats", "true");
  if (host.dataset.coming === "watch") at.searchParams.set("watch", "true");
  if (host.dataset.command) at.searchParams.set("command", host.dataset.command);
  return at;
};

const send = (message) => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
};

// The server's own codes, beside those of RFC 6455.
const SHELL_ENDED = 4000;
const RIGHT_ENDED = 4003;
const ENDED_BY = 4004;

const retry = (reason) => {
  clearTimeout(timer);
  const longest = Math.min(FIRST_WAIT_MS * 2 ** attempt, LONGEST_WAIT_MS);
  const wait = longest * (0.7 + Math.random() * 0.3);
  attempt += 1;
  const why = reason ? reason[0].toUpperCase() + reason.slice(1) : "Connection lost";
  say("warn", `${why}. Trying again in ${Math.max(1, Math.round(wait / 1000))} s.`);
  timer = setTimeout(connect, wait);
};

const over = (text) => {
  ended = true;
  shared.hidden = true;
  terminal.options.disableStdin = true;
  terminal.options.cursorBlink = false;
  say("stopped", text);
};

const hue = (id) => id.replaceAll("-", "").match(/../g).reduce((sum, pair) => sum + parseInt(pair, 16), 0) % 6;
const element = (name, attributes, ...children) => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
};
const deed = (text, message) => {
  const button = element("button", { class: "button small", type: "button" }, text);
  button.addEventListener("click", () => send(message));
  return button;
};

let room;
let drawn = "";
let quiet;

// What can be done with someone else's place.
const deedsTo = (seat, me) => {
  const { one_at_a_time: turns } = room.terminal;
  const user = seat.user.id;
  const deeds = [];
  if (seat.user.id === me.user.id) return deeds;
  if (turns && (me.may_type || room.may_moderate) && seat.part !== "watcher" && !seat.may_type) {
    deeds.push(deed(`Give control to ${seat.user.username}`, { deed: "give", to: user }));
    if (seat.asks) deeds.push(deed(`Keep it from ${seat.user.username}`, { deed: "decline", user }));
  }
  if (room.may_moderate && seat.part === "typist") deeds.push(deed(`Let ${seat.user.username} only watch`, { deed: "quiet", user }));
  if (room.may_moderate && seat.was_quieted) deeds.push(deed(`Let ${seat.user.username} type`, { deed: "unquiet", user }));
  return deeds;
};

const place = (seat, me) => {
  const name = seat.session === room.you ? "you" : seat.user.username;
  const words = { watching: "watching", typing: "typing", idle: room.terminal.one_at_a_time && seat.may_type ? "in control" : "here" };
  const word = seat.asks ? "asks for control" : words[seat.doing];
  const way = seat.through === "ssh" ? ", by SSH" : "";
  const window = element("span", { class: "avatar lit", "data-kind": "person", "data-hue": hue(seat.user.id), "aria-hidden": "true" }, seat.user.username[0].toUpperCase());
  const recorded = seat.is_recorded ? ", recorded" : "";
  return element("li", { "data-doing": seat.doing }, window, name, " ", element("small", {}, `${word}${way}${recorded}`), ...deedsTo(seat, me));
};

const draw = () => {
  const { terminal: now } = room;
  const me = now.seats.find((seat) => seat.session === room.you);
  if (!me) return;
  const next = JSON.stringify([now.seats, now.one_at_a_time, now.is_pinned, room.may_moderate]);
  if (next === drawn) return;
  drawn = next;
  seats.replaceChildren(...now.seats.map((seat) => place(seat, me)));
  const held = now.seats.some((seat) => seat.may_type);
  const mine = now.one_at_a_time && me.may_type;
  const could = now.one_at_a_time && me.part !== "watcher" && !me.may_type;
  const may = {
    ask: could && held && !me.asks,
    take: could && (!held || room.may_moderate),
    release: mine,
    one_at_a_time: room.may_set && !now.one_at_a_time && now.seats.length > 1,
    everyone: room.may_set && now.one_at_a_time,
    pin: room.may_set && !now.is_pinned && now.seats.length > 1,
    unpin: room.may_set && now.is_pinned,
    end: room.may_moderate && now.seats.length > 1,
  };
  for (const button of shared.querySelectorAll("[data-deed]")) button.hidden = !may[button.dataset.deed];
  terminal.options.disableStdin = !me.may_type;
  terminal.options.cursorBlink = me.may_type && !matchMedia("(prefers-reduced-motion: reduce)").matches;
  shared.hidden = now.seats.length < 2 && me.may_type && !now.one_at_a_time && !now.is_pinned;
};

// The server tells who is at the terminal, and its size.
const told = (message) => {
  if (message.refused) {
    said.textContent = `${message.refused[0].toUpperCase()}${message.refused.slice(1)}.`;
    return;
  }
  const isOther = room?.terminal.said !== message.terminal.said;
  room = message;
  const { cols, rows } = room.terminal;
  if (cols !== terminal.cols || rows !== terminal.rows) terminal.resize(cols, rows);
  draw();
  if (isOther) said.textContent = room.terminal.said;
  clearTimeout(quiet);
  quiet = setTimeout(() => {
    for (const seat of room.terminal.seats) if (seat.doing === "typing") seat.doing = "idle";
    draw();
  }, TYPING_MS);
};
shared.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-deed]");
  if (!button) return;
  const { cols, rows } = terminal;
  const word = button.dataset.deed;
  send(word === "pin" ? { deed: word, cols, rows } : { deed: word });
  terminal.focus();
});

function connect() {
  clearTimeout(timer);
  if (ended) return;
  say("starting", "Connecting");
  const mine = new WebSocket(url());
  socket = mine;
  mine.binaryType = "arraybuffer";
  let fresh = true;
  mine.addEventListener("open", () => {
    send({ height: own.rows, width: own.cols });
  });
  mine.addEventListener("message", ({ data }) => {
    if (typeof data === "string") return told(JSON.parse(data));
    // The first bytes of every connection are the whole screen.
    if (fresh) {
      attempt = 0;
      say("running", "Connected");
      terminal.reset();
    }
    fresh = false;
    terminal.write(new Uint8Array(data));
  });
  mine.addEventListener("close", ({ code, reason }) => {
    if (mine !== socket || ended) return;
    if (code === SHELL_ENDED) return over("The shell ended.");
    if (code === RIGHT_ENDED) return over(reason || "Your right to this workspace ended.");
    if (code === ENDED_BY) return over(`${reason}.`);
    retry(reason);
  });
}

terminal.onData((data) => {
  for (let at = 0; at < data.length;) {
    let end = Math.min(at + PIECE, data.length);
    const last = data.charCodeAt(end - 1);
    if (end < data.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
    send({ data: data.slice(at, end) });
    at = end;
  }
});
terminal.onBinary((data) => send({ data }));
terminal.onResize(({ cols, rows }) => { size.textContent = `${cols} × ${rows}`; });
const measure = () => {
  const fits = fit.proposeDimensions();
  if (!fits?.cols || !fits.rows || (fits.cols === own.cols && fits.rows === own.rows)) return;
  own = fits;
  send({ height: own.rows, width: own.cols });
};
const title = document.title;
terminal.onTitleChange((text) => { document.title = text ? `${text} · ${title}` : title; });
terminal.attachCustomKeyEventHandler((event) => {
  if (event.type !== "keydown" || !event.ctrlKey || !event.shiftKey) return true;
  if (event.code === "KeyC" && terminal.hasSelection()) {
    event.preventDefault();
    navigator.clipboard?.writeText(terminal.getSelection());
    return false;
  }
  if (event.code === "Escape") {
    document.getElementById("leave").focus();
    return false;
  }
  return event.code !== "KeyV";
});

reader.checked = terminal.options.screenReaderMode;
reader.addEventListener("change", () => {
  terminal.options.screenReaderMode = reader.checked;
  remember(READER, reader.checked ? "on" : "off");
  terminal.focus();
});

new ResizeObserver(measure).observe(screen);
addEventListener("online", () => { if (socket?.readyState !== WebSocket.OPEN) { attempt = 0; connect(); } });
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && socket?.readyState === WebSocket.CLOSED && !ended) { attempt = 0; connect(); }
});
size.textContent = `${terminal.cols} × ${terminal.rows}`;
connect();
terminal.focus();
