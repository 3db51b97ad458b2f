// Usage: node joining.mjs URL SHOTS_DIR PASSWORD
// Ada and Grace in two browsers at one terminal of ada/kiln, Linus looking on in a third, and an `ssh` that the
// caller runs. Prints `ask WHAT` where it needs something done there and goes on after a line on its input.
// Ends with "joining works", or throws.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { launch, sideways, violations } from "./kit.mjs";

const [url, shots, password] = process.argv.slice(2);
const PATIENCE = { timeout: 90_000 };
await mkdir(shots, { recursive: true });
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = async (what) => {
  console.log(`ask ${what}`);
  await answers.next();
};
const must = (holds, what) => { if (!holds) throw new Error(what); };

const browser = await launch();
const wrong = [];
const open = async (user, viewport) => {
  const context = await browser.newContext({ reducedMotion: "reduce", viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  page.on("console", (m) => { if (/Content Security Policy/.test(m.text())) wrong.push(m.text()); });
  page.on("pageerror", (e) => wrong.push(`${page.url()}: ${e}`));
  await page.goto(`${url}/login`);
  await page.locator("input[name=username]").fill(user);
  await page.locator("input[name=password]").fill(password);
  await page.locator("main form button").first().click();
  await page.waitForURL(/\/workspaces/);
  return page;
};
const look = async (page, name) => {
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  const found = await violations(page);
  must(!found.length, `${name}: ${found.join("; ")}`);
  const over = await sideways(page);
  must(over <= 0, `${name}: ${over} px too wide`);
};
const shown = (text, page) =>
  page.waitForFunction((t) => document.querySelector(".xterm-rows")?.textContent.includes(t), text, PATIENCE);
const keys = async (text, page) => {
  await page.locator(".xterm-helper-textarea").focus();
  await page.keyboard.type(text);
};
const seat = (page, text) => page.locator("#seats li").filter({ hasText: text }).first().waitFor();

const ada = await open("ada", { width: 1280, height: 900 });
const grace = await open("grace", { width: 1100, height: 700 });
const linus = await open("linus", { width: 390, height: 844 });

await ada.goto(`${url}/@ada/kiln/terminal`);
await shown("$", ada);
await keys("echo begun-by-a''da\n", ada);
await shown("begun-by-ada", ada);
const id = new URL(ada.url()).searchParams.get("t");

console.log("grace joins from the workspace's page");
await grace.goto(`${url}/@ada/kiln`);
await grace.locator("#here").getByRole("link", { name: "Join" }).first().waitFor();
await look(grace, "workspace-of-grace");
await grace.locator("#here").getByRole("link", { name: "Join" }).first().click();
await shown("begun-by-ada", grace);
await keys("clear; echo typed-by-gra''ce\n", grace);
await shown("typed-by-grace", ada);
await seat(ada, "grace");

console.log("an ssh comes to the same");
await ask(`join ${id}`);
await ask("see typed-by-grace");
await ask("type echo typed-by-s''sh");
await shown("typed-by-ssh", ada);
await shown("typed-by-ssh", grace);
await keys("echo back-to-s''sh\n", ada);
await ask("see back-to-ssh");
await seat(grace, "by SSH");

console.log("linus looks on in a narrow window");
await linus.goto(`${url}/@ada/kiln`);
must(await linus.locator("#here").getByRole("link", { name: "Join" }).count() === 0, "linus may join");
await linus.locator("#here").getByRole("link", { name: "Watch" }).first().click();
await shown("back-to-ssh", linus);
await keys("echo typed-by-li''nus\n", linus);
await seat(ada, "linus");
const sizes = await Promise.all([ada, grace, linus].map((page) => page.locator("#size").textContent()));
must(new Set(sizes).size === 1, `one terminal has one size: ${sizes}`);
await look(linus, "linus-watching-390");

console.log("one at a time");
await ada.getByRole("button", { name: "One at a time" }).click();
await grace.getByRole("button", { name: "Ask for control" }).click();
await ada.getByRole("button", { name: "Give control to grace" }).waitFor();
await look(ada, "grace-asks");
await ada.getByRole("button", { name: "Give control to grace" }).click();
await seat(ada, "in control");
await keys("clear; echo ha''s-control\n", grace);
await shown("has-control", ada);
await keys("echo ada-may-n''ot\n", ada);
await ask("type echo ssh-may-n''ot");
await look(grace, "grace-in-control");
await ada.getByRole("button", { name: "Let everyone type" }).click();
await keys("echo all-may-aga''in\n", ada);
await shown("all-may-again", linus);
const text = await ada.locator(".xterm-rows").textContent();
must(!/by-linus|may-not/.test(text), `somebody typed who may not: ${text}`);

console.log("a program's question has one answer");
await keys("clear; printf '\\033[c\\033]11;?\\033\\\\'; IFS= read -rs -t 2 -n 99 -d '~' x; echo \"got-${#x}.\"\n", ada);
await ada.waitForFunction(() => /got-\d+\./.test(document.querySelector(".xterm-rows")?.textContent), undefined, PATIENCE);
const got = Number(/got-(\d+)\./.exec(await ada.locator(".xterm-rows").textContent())[1]);
must(got > 10 && got < 45, `answers of ${got} bytes`);

console.log("a full screen is the same for who comes late");
await keys("clear; printf '\\033[?1049h\\033[2J\\033[3;5H\\033[1;32mgreen \\344\\270\\226\\347\\225\\214 wide\\033[m'; sleep 600\n", ada);
await shown("wide", ada);
await linus.reload();
await shown("wide", linus);
await ask("see wide");
await look(linus, "late-in-a-full-screen");

console.log("ada ends it");
await ada.getByRole("button", { name: "End terminal" }).click();
for (const page of [grace, linus]) await page.getByText("ada ended this terminal.").first().waitFor();
await look(grace, "ended");
await ada.goto(`${url}/@ada/kiln`);
await ada.locator("#here").waitFor();
must(!wrong.length, wrong.join("; "));
await browser.close();
console.log("joining works");
process.exit(0);
