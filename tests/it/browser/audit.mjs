// Usage: node audit.mjs URL SHOTS_DIR NAME PASSWORD
// The audit log in Chromium: narrowed as one types and chooses, kept under a name, opened, taken out
// as a file, wide and narrow. Ends with "the audit log works", or throws.
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { launch, sideways, violations } from "./kit.mjs";

const [url, shots, name, password] = process.argv.slice(2);
await mkdir(shots, { recursive: true });
const must = (holds, what) => { if (!holds) throw new Error(what); };

const browser = await launch();
const context = await browser.newContext({ reducedMotion: "reduce", acceptDownloads: true });
const page = await context.newPage();
page.setDefaultTimeout(90_000);
const wrong = [];
page.on("console", (m) => { if (/Content Security Policy/.test(m.text())) wrong.push(m.text()); });
page.on("pageerror", (e) => wrong.push(`${page.url()}: ${e}`));
const look = async (shot) => {
  await page.screenshot({ path: join(shots, `${shot}.png`), fullPage: true });
  const found = await violations(page);
  must(!found.length, `${shot}: ${found.join("; ")}`);
  must(await sideways(page) <= 0, `${shot}: too wide`);
};
const press = (text) => page.getByRole("button", { name: text, exact: true }).first().click();
const rows = () => page.locator("#entries tbody tr").count();

await page.goto(`${url}/login`);
await page.fill("input[name=username]", name);
await page.fill("input[name=password]", password);
await press("Sign in");
await page.waitForURL(/\/workspaces$/);

console.log("the log is narrowed while one types");
await page.getByRole("link", { name: "Audit log" }).click();
await page.waitForURL(/\/audit$/);
const all = await rows();
must(all > 3, `${all} entries`);
await look("audit");
await page.fill(".filters input[name=q]", "resource_type:group");
await page.waitForURL(/q=resource_type/);
await page.waitForFunction(() => document.querySelectorAll("#entries tbody tr").length === 1);
await page.getByRole("link", { name: "made group" }).waitFor();

console.log("what cannot be read is said, and goes away when it can");
await page.fill(".filters input[name=q]", "colour:red");
await page.getByText("At character 1").waitFor();
await page.fill(".filters input[name=q]", "");
await page.waitForFunction((n) => document.querySelectorAll("#entries tbody tr").length === n, all);

console.log("what is chosen narrows it too");
await page.selectOption("select[name=action]", "login");
await page.waitForURL(/action=login/);
await page.waitForFunction((n) => document.querySelectorAll("#entries tbody tr").length < n, all);

console.log("it is kept under a name");
await press("Save this search");
await page.fill("dialog [name=name]", "Sign-ins");
await press("Save search");
await page.waitForURL(/q=action%3Alogin/);
const chip = page.getByRole("navigation", { name: "Saved searches" }).getByRole("link", { name: "Sign-ins" });
must(await chip.getAttribute("aria-current") === "true", "the chip is not lit");

console.log("it is taken out as a file");
const waiting = page.waitForEvent("download");
await page.getByRole("link", { name: "CSV" }).click();
const file = await readFile(await (await waiting).path(), "utf8");
must(file.startsWith("seq,id,time,") && file.includes(",login,"), file.slice(0, 200));

console.log("an entry opens");
await page.getByRole("link", { name: "signed in" }).first().click();
await page.getByRole("heading", { name: "Signed in", level: 1 }).waitFor();
await page.getByText("Holds", { exact: true }).waitFor();
await look("entry");
await page.getByRole("link", { name: "This address" }).click();
await page.waitForURL(/q=ip%3A127/);
must(await rows() > 0, "nothing is from this address");

console.log("a phone shows the same");
await page.setViewportSize({ width: 390, height: 844 });
await look("narrow");
await page.goto(`${url}/audit/filters`);
await look("filters-narrow");
await press("Delete Sign-ins");
await page.getByText("The search Sign-ins is deleted.").waitFor();

await browser.close();
must(!wrong.length, wrong.join("\n"));
console.log("the audit log works");
