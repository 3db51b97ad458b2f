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
  at.searchParams.set("width", terminal.cols);
  at.searchParams.set("height", terminal.rows);
  if (host.dataset.command) at.searchParams.set("command", host.dataset.command);
  return at;
};

const send = (message) => {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
};

// The server's own codes, beside those of RFC 6455.
const SHELL_ENDED = 4000;
const RIGHT_ENDED = 4003;

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
  terminal.options.disableStdin = true;
  terminal.options.cursorBlink = false;
  say("stopped", text);
};

function connect() {
  clearTimeout(timer);
  if (ended) return;
  say("starting", "Connecting");
  const mine = new WebSocket(url());
  socket = mine;
  mine.binaryType = "arraybuffer";
  let fresh = true;
  mine.addEventListener("open", () => {
    send({ height: terminal.rows, width: terminal.cols });
  });
  mine.addEventListener("message", ({ data }) => {
    // The first bytes of every connection are the whole screen.
    if (fresh) {
      attempt = 0;
      say("running", "Connected");
      terminal.reset();
    }
    fresh = false;
    terminal.write(typeof data === "string" ? data : new Uint8Array(data));
  });
  mine.addEventListener("close", ({ code, reason }) => {
    if (mine !== socket || ended) return;
    if (code === SHELL_ENDED) return over("The shell ended.");
    if (code === RIGHT_ENDED) return over(reason || "Your right to this workspace ended.");
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
terminal.onResize(({ cols, rows }) => {
  size.textContent = `${cols} × ${rows}`;
  send({ height: rows, width: cols });
});
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

new ResizeObserver(() => fit.fit()).observe(screen);
addEventListener("online", () => { if (socket?.readyState !== WebSocket.OPEN) { attempt = 0; connect(); } });
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && socket?.readyState === WebSocket.CLOSED && !ended) { attempt = 0; connect(); }
});
size.textContent = `${terminal.cols} × ${terminal.rows}`;
connect();
terminal.focus();
