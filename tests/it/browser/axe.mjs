// Usage: node axe.mjs DIR_OR_URL [--shots DIR] [NAME…]
// Opens every page of the gallery in Chromium, in both themes and two widths, and asks axe-core.
// Prints what is wrong and exits with 1 if anything is. CHROMIUM names the browser's program.
import { createServer } from "node:http";
import { readFile, readdir, mkdir } from "node:fs/promises";
import { existsSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { chromium } from "playwright-core";
import AxeModule from "@axe-core/playwright";

const AxeBuilder = AxeModule.default ?? AxeModule;
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

const serve = async (dir) => {
  const server = createServer(async (request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://x").pathname));
    try {
      const body = await readFile(join(dir, path));
      const policy = path.includes("terminal") ? TERMINAL : STRICT;
      response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "text/plain", "content-security-policy": policy });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${server.address().port}` };
};

const program = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const browser = await chromium.launch({ executablePath: program, args: ["--no-sandbox"] });
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

const LOOKS = [
  { look: "light", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { look: "dark", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { look: "narrow", colorScheme: "light", viewport: { width: 390, height: 844 } },
];
let wrong = 0;
for (const { look, ...options } of LOOKS) {
  const context = await browser.newContext({ ...options, reducedMotion: "reduce" });
  const page = await context.newPage();
  let name;
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() !== "error" || /WebSocket|404|net::ERR/.test(text)) return;
    wrong += 1;
    console.log(`${name} (${look}): console: ${text}`);
  });
  page.on("pageerror", (error) => { wrong += 1; console.log(`${name} (${look}): ${error}`); });
  for (name of names.sort()) {
    await page.goto(`${base}/${name}.html`, { waitUntil: "load" });
    if (shots) await page.screenshot({ path: join(shots, `${name}.${look}.png`), fullPage: true });
    const sideways = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (sideways > 0) {
      wrong += 1;
      console.log(`${name} (${look}): ${sideways} px too wide`);
    }
    for (const dialog of [undefined, ...(await page.locator("dialog[popover], .menu[popover]").evaluateAll((all) => all.map((d) => d.id)))]) {
      if (dialog) await page.evaluate((id) => document.getElementById(id).showPopover(), dialog);
      const { violations } = await new AxeBuilder({ page })
        .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
        .analyze();
      for (const violation of violations) {
        wrong += 1;
        console.log(`${name} (${look}${dialog ? `, #${dialog} open` : ""}): ${violation.id}: ${violation.help}`);
        for (const node of violation.nodes.slice(0, 4)) console.log(`    ${node.html.slice(0, 160)}\n    ${node.failureSummary?.split("\n").slice(1, 3).join(" ").trim()}`);
      }
      if (dialog) await page.evaluate((id) => document.getElementById(id).hidePopover(), dialog);
    }
  }
  await context.close();
}
await browser.close();
server?.close();
console.log(`${names.length} pages in ${LOOKS.length} looks: ${wrong === 0 ? "nothing found" : `${wrong} findings`}`);
process.exit(wrong === 0 ? 0 : 1);
