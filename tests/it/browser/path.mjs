// Usage: node path.mjs URL SHOTS_DIR
// Walks through a fresh server in Chromium as its first person does, from the setup to signing out.
// Prints `ask WHAT` where it needs something done outside and goes on after a line on its input.
// Ends with "the path works", or throws.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { launch, sideways, violations } from "./kit.mjs";

const [url, shots] = process.argv.slice(2);
const ADA = "ada";
const PASSWORD = "correct horse 7";
const PATIENCE = { timeout: 90_000 };
const began = Date.now();
await mkdir(shots, { recursive: true });
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = async (what) => {
  console.log(`ask ${what}`);
  await answers.next();
};
const must = (holds, what) => { if (!holds) throw new Error(what); };

const browser = await launch();
const wrong = [];
const watch = async (options) => {
  const context = await browser.newContext({ reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE.timeout);
  page.on("console", (m) => { if (/Content Security Policy/.test(m.text())) wrong.push(m.text()); });
  page.on("pageerror", (e) => wrong.push(`${page.url()}: ${e}`));
  return page;
};
const page = await watch();
const context = page.context();

const look = async (name) => {
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  const found = await violations(page);
  must(!found.length, `${name}: ${found.join("; ")}`);
  const over = await sideways(page);
  must(over <= 0, `${name}: ${over} px too wide`);
};
const step = (name) => console.log(`${((Date.now() - began) / 1000).toFixed(1)} s: ${name}`);
const press = (name, where = page) => where.getByRole("button", { name, exact: true }).first().click();
const says = (text, where = page) => where.getByText(text).first().waitFor();
const errorAt = async (name, where = page) => {
  const field = where.locator(`[name="${name}"][aria-invalid=true]`).first();
  await field.waitFor();
  const ids = (await field.getAttribute("aria-describedby")).split(" ");
  return where.locator(`[id="${ids[0]}"]`).textContent();
};
const signIn = async (where, user, password) => {
  await where.locator("input[name=username]").fill(user);
  await where.locator("input[name=password]").fill(password);
  await press("Sign in", where);
};
const state = (word) => page.locator("#status").getByText(word).waitFor();

step("setup, with a password that is too short first");
await page.goto(`${url}/`);
await page.waitForURL(/\/setup$/);
await page.fill("[name=username]", ADA);
await page.fill("[name=email]", "ada@hearth.lan");
await page.fill("[name=password]", "short");
await press("Create owner and continue");
must(/8 or more|8 characters/.test(await errorAt("password")), "the short password is not explained");
must(await page.inputValue("[name=email]") === "ada@hearth.lan", "setup loses what was typed");
await page.fill("[name=password]", "password2020");
await says("is easy to guess", page.locator("#f-password-s"));
await look("setup-weak-password");
await page.fill("[name=password]", PASSWORD);
await press("Create owner and continue");
await page.waitForURL(/\/workspaces$/);
await look("workspaces-empty");

step("a template from a starter");
await page.getByRole("link", { name: "Add a starter template" }).click();
await press("Add This machine");
await page.waitForURL(/\/templates\/this-machine$/);
await says("is ready");
await look("template");

step("a workspace, with a wrong name first");
await page.getByRole("link", { name: "New workspace" }).click();
await page.fill("[name=name]", "Not a name!");
await page.fill("[name='p.startup_script']", "echo one\necho two");
await press("Create workspace");
must((await errorAt("name")).length > 5, "the wrong name is not explained");
must(await page.inputValue("[name='p.startup_script']") === "echo one\necho two", "create loses what was typed");
await look("create-wrong");
await page.fill("[name=name]", "kiln");
await press("Create workspace");
await page.waitForURL(/\/@ada\/kiln$/);

step("its log and its state, live");
await page.evaluate(() => { window.unloaded = false; });
await page.locator("#log-lines").getByText("Apply complete").first().waitFor();
await state("Running");
await page.getByRole("link", { name: "Terminal in the browser" }).waitFor();
must(await page.evaluate(() => window.unloaded) === false, "the page was loaded again");
await look("workspace");

step("a token for the command line");
await page.goto(`${url}/settings/tokens`);
await press("New token");
await page.fill("[name=name]", "laptop");
await page.fill("[name=days]", "99999");
await page.evaluate(() => { document.querySelector("dialog form").noValidate = true; });
await press("Make token");
must((await errorAt("days")).length > 5, "the days are not explained");
must(await page.inputValue("[name=name]") === "laptop", "the token's name is lost");
await page.fill("[name=days]", "1");
await press("Make token");
await ask(`token ${await page.locator("#made").textContent()}`);

step("its terminal");
const shown = (text, where = page) =>
  where.waitForFunction((t) => document.querySelector(".xterm-rows")?.textContent.includes(t), text, PATIENCE);
const keys = async (text, where = page) => {
  await where.locator(".xterm-helper-textarea").focus();
  await where.keyboard.type(text);
};
await page.goto(`${url}/@ada/kiln/terminal`);
await shown("$");
await keys("export MARK=kept; echo from-the-br''owser\n");
await shown("from-the-browser");

step("a long paste arrives whole");
const line = "0123456789abcdefghijklmnopqrstuvwxyz 0123456789";
const pasted = `wc -c <<'END'\n${`${line}\n`.repeat(600)}END\n`;
await page.locator(".xterm-helper-textarea").evaluate((field, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
}, pasted);
// Where the shell asks for brackets around a paste, Enter ends it.
await page.keyboard.press("Enter");
await shown(String(600 * (line.length + 1)));

step("it fits the window, before and after a change");
const fits = async () => {
  const [columns, rows] = (await page.locator("#size").textContent()).split(" × ");
  await keys("clear; stty size\n");
  await shown(`${rows} ${columns}`);
};
await fits();
const before = await page.locator("#size").textContent();
await page.setViewportSize({ width: 900, height: 500 });
await page.waitForFunction((old) => document.getElementById("size").textContent !== old, before, PATIENCE);
await fits();

step("it is the same after a reload, and in a second tab");
await keys("clear; echo sa''me-screen\n");
await shown("same-screen");
await page.reload();
await shown("same-screen");
const second = await context.newPage();
await second.goto(page.url());
await shown("same-screen", second);
await keys("echo typed-in-the-sec''ond\n", second);
await shown("typed-in-the-second");
await second.close();

step("it outlives the server");
await page.evaluate(() => {
  const connection = document.getElementById("connection");
  const isRunning = () => connection.dataset.state === "running";
  window.lost = !isRunning();
  new MutationObserver(() => { window.lost ||= !isRunning(); })
    .observe(connection, { attributeFilter: ["data-state"] });
});
await ask("restart");
await page.waitForFunction(() => window.lost && document.getElementById("connection").dataset.state === "running", undefined, PATIENCE);
await says("Connected");
await keys("clear; echo $MARK-over-the-res''tart\n");
await shown("kept-over-the-restart");
await page.screenshot({ path: join(shots, "terminal.png") });

step("stop, start, restart");
await page.setViewportSize({ width: 1280, height: 900 });
await page.goto(`${url}/@ada/kiln`);
await press("Stop");
await state("Stopped");
await press("Start");
await state("Running");
await press("More actions");
await press("Restart");
await page.locator("#builds-card").getByText("5 start").waitFor();
await state("Running");

step("a session that ends in the middle of a form");
await page.goto(`${url}/templates/this-machine/workspace`);
await page.fill("[name=name]", "loom");
await page.fill("[name='p.startup_script']", "true\n# ä & <b>");
await context.clearCookies();
await press("Create workspace");
await says("What you typed is kept");
await look("login-kept");
await signIn(page, ADA, "wrong");
await says("User name or password is wrong");
await signIn(page, ADA, PASSWORD);
await says("You are signed in again");
await look("login-resume");
await press("Send it now");
await page.waitForURL(/\/@ada\/loom$/);
await state("Running");
await page.locator("#facts").getByText("true # ä & <b>").waitFor();

step("a page whose session ended says so");
// Left first: its live parts would lead to the sign-in page at the same time.
await page.goto("about:blank");
await context.clearCookies();
await page.goto(`${url}/@ada/loom`);
await page.waitForURL(/\/login\?next=/);
await signIn(page, ADA, PASSWORD);
await page.waitForURL(/\/@ada\/loom$/);

step("delete, once its name is typed");
await press("More actions");
await page.locator("#more").getByRole("button", { name: "Delete" }).click();
await page.locator("#delete").evaluate((dialog) => { dialog.querySelector("form").noValidate = true; });
await page.locator("#delete [name=confirm]").fill("kiln");
await press("Delete loom");
await says("Nothing was deleted");
await press("More actions");
await page.locator("#more").getByRole("button", { name: "Delete" }).click();
await page.locator("#delete [name=confirm]").fill("loom");
await press("Delete loom");
await state("Deleted");

step("keys and the password, wrong and right");
await page.goto(`${url}/settings/ssh-keys`);
await page.fill("[name=key]", "ssh-ed25519 nonsense");
await press("Add key");
must((await errorAt("key")).length > 5, "the wrong key is not explained");
must(await page.inputValue("[name=key]") === "ssh-ed25519 nonsense", "the key is lost");
await page.goto(`${url}/settings/security`);
await page.fill("[name=old]", "not it");
await page.fill("[name=password]", `${PASSWORD} and more`);
await press("Change password");
must((await errorAt("old")).length > 5, "the wrong password is not explained");
await page.fill("[name=old]", PASSWORD);
await page.fill("[name=password]", `${PASSWORD} and more`);
await press("Change password");
await says("Password changed");

step("people: add, suspend, let in again");
await page.goto(`${url}/people`);
await press("Add a person");
await page.fill("[name=username]", "grace");
await page.fill("[name=email]", "grace@hearth.lan");
await page.locator("dialog [name=password]").fill("another horse 8");
await page.locator("dialog button.primary").click();
await page.waitForURL(/\/people\/grace$/);
await press("Suspend");
await press("Suspend grace");
await says("grace is suspended");
const other = await watch();
await other.goto(`${url}/login`);
await signIn(other, "grace", "another horse 8");
await says("suspended", other);
await press("Let in again");
await says("may sign in again");
await signIn(other, "grace", "another horse 8");
await other.waitForURL(/\/workspaces$/);
await other.context().close();

step("by keyboard alone");
await page.goto(`${url}/workspaces`);
await page.keyboard.press("Tab");
must(await page.evaluate(() => document.activeElement.matches("a.skip")), "the skip link is not first");
const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
must(ring !== "none", "the focus is not to be seen");
await page.keyboard.press("Enter");
must(await page.evaluate(() => document.activeElement.id === "main"), "the skip link does not skip");
await page.keyboard.press("Control+k");
await page.keyboard.type("kiln\n");
await page.waitForURL(/\/@ada\/kiln$/);

step("every other page");
for (const path of ["/templates", "/templates/this-machine/workspace", "/starter-templates", "/people", "/people/grace", "/@ada/kiln/settings", "/@ada/kiln/builds", "/@ada/kiln/builds/1", "/settings/account", "/settings/tokens", "/settings/ssh-keys", "/find?q=k", "/nowhere"]) {
  await page.goto(`${url}${path}`);
  await look(path.slice(1).replaceAll(/[/?=@]/g, "-"));
}

step("without script");
const plain = await watch({ javaScriptEnabled: false });
await plain.goto(`${url}/`);
await signIn(plain, ADA, `${PASSWORD} and more`);
await plain.waitForURL(/\/workspaces$/);
await plain.fill("[name=q].filter, .filters [name=q]", "kiln");
await press("Filter", plain);
await plain.getByRole("link", { name: "kiln", exact: true }).click();
await plain.waitForURL(/\/@ada\/kiln$/);
await press("More actions", plain);
await plain.getByRole("link", { name: "Schedule" }).waitFor();
await plain.keyboard.press("Escape");
await press("Stop", plain);
await says("was asked for", plain);
const becomes = async (word) => {
  const until = Date.now() + PATIENCE.timeout;
  while (!await plain.locator("#status").getByText(word).isVisible()) {
    must(Date.now() < until, `the workspace is not ${word}`);
    await plain.reload();
  }
};
await becomes("Stopped");
await press("Start", plain);
await says("was asked for", plain);
await becomes("Running");
await plain.context().close();

step("what the first page weighs, at first and again");
const weigh = async (where) => {
  const session = await where.context().newCDPSession(where);
  await session.send("Network.enable");
  const sent = new Map();
  // One that began before is not of this page.
  const ends = (requestId, bytes) => sent.has(requestId) && Object.assign(sent.get(requestId), { over: true, bytes });
  session.on("Network.requestWillBeSent", ({ requestId, request }) => sent.set(requestId, { url: request.url, over: false, bytes: 0 }));
  // The live stream is open as long as its page: it has no weight.
  session.on("Network.responseReceived", ({ requestId, response }) => {
    if (response.mimeType === "text/event-stream") ends(requestId, 0);
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => ends(requestId, encodedDataLength));
  session.on("Network.loadingFailed", ({ requestId }) => ends(requestId, 0));
  await where.goto(`${url}/workspaces`, { waitUntil: "load" });
  const ours = () => [...sent.values()].filter((r) => r.url.startsWith(url));
  const until = Date.now() + PATIENCE.timeout;
  while (!ours().every((r) => r.over)) {
    must(Date.now() < until, `not all has come: ${JSON.stringify(ours())}`);
    await where.waitForTimeout(20);
  }
  await session.detach();
  const all = ours().filter((r) => r.bytes > 0);
  return { requests: all.length, bytes: all.reduce((sum, r) => sum + r.bytes, 0) };
};
const fresh = await watch();
await fresh.context().addCookies(await context.cookies());
const first = await weigh(fresh);
const again = await weigh(fresh);
await fresh.context().close();
step(`${first.bytes} bytes in ${first.requests} requests, then ${again.bytes} in ${again.requests}`);
must(first.bytes <= 41_000 && first.requests <= 5, "the first visit is too heavy");
must(again.bytes <= 10_000, "the second visit is too heavy");

step("sign out");
await page.goto(`${url}/workspaces`);
await press("Sign out");
await page.waitForURL(/\/login$/);
await page.goto(`${url}/@ada/kiln`);
await page.waitForURL(/\/login/);

must(!wrong.length, wrong.join("; "));
await browser.close();
step("the path works");
process.exit(0);
