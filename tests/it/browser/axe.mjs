// Usage: node axe.mjs DIR_OR_URL [--shots DIR] [NAME…]
// Opens every page of the gallery in Chromium, in both themes and two widths, asks axe-core, and looks
// whether anything is wider than the window. Prints what is wrong and exits with 1 if anything is.
import { createServer } from "node:http";
import { readFile, readdir, mkdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { extname, join, normalize } from "node:path";
import { launch, sideways, violations } from "./kit.mjs";

const args = process.argv.slice(2);
const shotsAt = args.indexOf("--shots");
const shots = shotsAt < 0 ? undefined : args.splice(shotsAt, 2)[1];
const [where, ...only] = args;
if (!where) {
  console.error("usage: node axe.mjs DIR_OR_URL [--shots DIR] [NAME…]");
  process.exit(2);
}

const TYPES = { ".html": "text/html; charset=utf-8", ".css": "text/css", ".svg": "image/svg+xml", ".js": "text/javascript", ".mjs": "text/javascript" };
const STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const TERMINAL = STRICT.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'");
const RECORDING = STRICT.replace("script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'");
// The colours are all that a theme changes.
const DARK = ["color-contrast", "link-in-text-block"];
const WIDE = { width: 1280, height: 900 };
const NARROW = { width: 390, height: 844 };
const TABS = Math.min(6, 2 * availableParallelism());
// Half a minute on an idle machine; a busy one may need ten times as long, a hang needs longer.
const LIMIT_MS = 600_000;

const serve = async (dir) => {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
    try {
      const body = await readFile(join(dir, path));
      const policy = path.includes("terminal") ? TERMINAL : /recording[-.]/.test(path) ? RECORDING : STRICT;
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain", "content-security-policy": policy });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
};

let server;
let base = where;
let names;
if (/^https?:/.test(where)) {
  const index = await (await fetch(where)).text();
  names = [...index.matchAll(/href="([^"]+)\.html"/g)].map((m) => m[1]);
} else {
  ({ server, url: base } = await serve(where));
  names = (await readdir(where)).filter((n) => n.endsWith(".html") && n !== "index.html").map((n) => n.slice(0, -5));
}
if (only.length) names = names.filter((n) => only.includes(n));
if (shots) await mkdir(shots, { recursive: true });

const began = Date.now();
const browser = await launch();
const total = names.length;
let wrong = 0;
setTimeout(() => {
  console.log(`not done after ${LIMIT_MS / 1000} s; ${names.length} of ${total} pages were not begun`);
  process.exit(1);
}, LIMIT_MS).unref();
const report = (text) => { wrong += 1; console.log(text); };

// One look at a page as it stands, then with each of its dialogs and menus open.
const look = async (page, name, look, rules) => {
  if (shots) await page.screenshot({ path: join(shots, `${name}.${look}.png`), fullPage: true });
  const dialogs = await page.locator("dialog[popover], .menu[popover]").evaluateAll((all) => all.map((d) => d.id));
  for (const dialog of [undefined, ...dialogs]) {
    const at = `${name} (${look}${dialog ? `, #${dialog} open` : ""})`;
    if (dialog) await page.evaluate((id) => document.getElementById(id).showPopover(), dialog);
    const over = await sideways(page);
    if (over > 0) report(`${at}: ${over} px too wide`);
    for (const violation of await violations(page, { rules, part: dialog && `#${dialog}` })) report(`${at}: ${violation}`);
    if (dialog) await page.evaluate((id) => document.getElementById(id).hidePopover(), dialog);
  }
};

const tab = async () => {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  let name;
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && !/WebSocket|404|net::ERR/.test(text)) report(`${name}: console: ${text}`);
  });
  page.on("pageerror", (error) => report(`${name}: ${error}`));
  while ((name = names.pop())) {
    await page.emulateMedia({ colorScheme: "light" });
    await page.setViewportSize(WIDE);
    await page.goto(`${base}/${name}.html`, { waitUntil: "load" });
    await look(page, name, "light");
    await page.emulateMedia({ colorScheme: "dark" });
    await look(page, name, "dark", DARK);
    await page.setViewportSize(NARROW);
    if (shots) await look(page, name, "narrow-dark", DARK);
    await page.emulateMedia({ colorScheme: "light" });
    await look(page, name, "narrow");
  }
  await context.close();
};
await Promise.all(Array.from({ length: TABS }, tab));
await browser.close();
server?.close();
const seconds = ((Date.now() - began) / 1000).toFixed(1);
console.log(`${total} pages, light, dark and narrow, in ${seconds} s: ${wrong === 0 ? "nothing found" : `${wrong} findings`}`);
process.exit(wrong === 0 ? 0 : 1);
