// Usage: node path.mjs URL USER PASSWORD SHOTS_DIR
// Walks the path of a signed-in person in Chromium: workspaces, a workspace, its terminal, reload.
// Ends with "the path works", or throws.
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import AxeModule from "@axe-core/playwright";

const AxeBuilder = AxeModule.default ?? AxeModule;
const [url, user, password, shots] = process.argv.slice(2);
await mkdir(shots, { recursive: true });
const program = process.env.CHROMIUM ?? ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const browser = await chromium.launch({ executablePath: program, args: flags });
const context = await browser.newContext();
const page = await context.newPage();
const refused = [];
page.on("console", (m) => { if (/Content Security Policy/.test(m.text())) refused.push(m.text()); });

const look = async (name) => {
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  const { violations } = await new AxeBuilder({ page }).analyze();
  if (violations.length) throw new Error(`${name}: ${violations.map((v) => `${v.id} ${v.nodes[0]?.html}`).join("; ")}`);
};
const shown = (text) => page.waitForFunction((t) => document.querySelector(".xterm-rows")?.textContent.includes(t), text, { timeout: 60_000 });

await page.goto(`${url}/`);
await page.waitForURL(/\/login/);
await look("login");
await page.locator("input[name=username], input[name=email]").first().fill(user);
await page.locator("input[name=password]").fill(password);
await page.locator("main button[type=submit], main form button").first().click();
await page.waitForURL(/\/workspaces/);
await look("workspaces");
await page.getByRole("link", { name: "kiln", exact: true }).first().click();
await page.waitForURL(/\/@ada\/kiln/);
await page.getByText("Running").first().waitFor();
await look("workspace");

await page.goto(`${url}/@ada/kiln/terminal`);
await page.locator(".xterm-screen").waitFor();
await page.waitForFunction(() => document.querySelector(".xterm-rows")?.textContent.trim().length > 0, undefined, { timeout: 60_000 });
await page.locator(".xterm-helper-textarea").focus();
await page.keyboard.type("echo from-the-br''owser\n");
await shown("from-the-browser");
await page.screenshot({ path: join(shots, "terminal.png") });
await page.reload();
await shown("from-the-browser");

for (const path of ["/templates", "/templates/this-machine", "/templates/this-machine/workspace", "/people", "/settings/account", "/settings/tokens", "/settings/ssh-keys", "/nowhere"]) {
  await page.goto(`${url}${path}`);
  await look(path.slice(1).replaceAll("/", "-"));
}
if (refused.length) throw new Error(`the content security policy refused something: ${refused[0]}`);
await browser.close();
console.log("the path works");
