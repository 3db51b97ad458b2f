// Usage: node screenshot.mjs URL USER PASSWORD FILE
// Signs in, opens a terminal beside the SSH session that is there, and takes the picture of the workspace's page
// that the README shows.
import { writeFile } from "node:fs/promises";
import { launch } from "./kit.mjs";

const [url, user, password, file] = process.argv.slice(2);
const browser = await launch();
const context = await browser.newContext({ viewport: { width: 1160, height: 680 }, colorScheme: "light", reducedMotion: "reduce" });
const page = await context.newPage();
await page.goto(`${url}/login`);
await page.locator("input[name=username]").fill(user);
await page.locator("input[name=password]").fill(password);
await page.locator("main form button").click();
await page.waitForURL(/\/workspaces/);

const terminal = await context.newPage();
await terminal.goto(`${url}/@${user}/kiln/terminal`);
await terminal.waitForFunction(() => document.querySelector(".xterm-rows")?.textContent.includes("$"), undefined, { timeout: 60_000 });

await page.goto(`${url}/@${user}/kiln`);
await page.locator("#here").getByText("SSH").waitFor({ timeout: 60_000 });
await page.locator("#here small").getByText("terminal").waitFor({ timeout: 60_000 });
await page.locator("#meters .gauge").first().waitFor();
await page.waitForFunction(() => !document.querySelector("#meters")?.textContent.includes("not asked yet"), undefined, { timeout: 60_000 });
await writeFile(file, await page.screenshot({ type: "png" }));
await browser.close();
console.log(`the picture is in ${file}`);
