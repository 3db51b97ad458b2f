// Usage: node passkeys.mjs URL SHOTS_DIR
// Passkeys in Chromium with its virtual authenticator: added, alone, after the password, copied, and
// by nobody in particular. Ends with "the passkeys work", or throws.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { launch, sideways, violations } from "./kit.mjs";

const [url, shots] = process.argv.slice(2);
const PASSWORD = "correct horse 7";
await mkdir(shots, { recursive: true });
const must = (holds, what) => { if (!holds) throw new Error(what); };

const browser = await launch();
const context = await browser.newContext({ reducedMotion: "reduce" });
const page = await context.newPage();
page.setDefaultTimeout(90_000);
const wrong = [];
page.on("console", (m) => { if (/Content Security Policy/.test(m.text())) wrong.push(m.text()); });
page.on("pageerror", (e) => wrong.push(`${page.url()}: ${e}`));
const devtools = await context.newCDPSession(page);
await devtools.send("WebAuthn.enable");
const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
  options: {
    protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true,
    hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true,
  },
});
const credentials = async () =>
  (await devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials;

const look = async (name) => {
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  const found = await violations(page);
  must(!found.length, `${name}: ${found.join("; ")}`);
  must(await sideways(page) <= 0, `${name}: too wide`);
};
const press = (name) => page.getByRole("button", { name, exact: true }).first().click();
const says = (text) => page.getByText(text).first().waitFor();
const signOut = async () => {
  await press("Sign out");
  await page.waitForURL(/\/login$/);
};
const byPassword = async () => {
  await page.fill("input[name=username]", "ada");
  await page.fill("input[name=password]", PASSWORD);
  await press("Sign in");
};

await page.goto(`${url}/`);
await page.fill("[name=username]", "ada");
await page.fill("[name=email]", "ada@hearth.lan");
await page.fill("[name=password]", PASSWORD);
await press("Create owner and continue");
await page.waitForURL(/\/workspaces$/);

console.log("a passkey is added");
await page.goto(`${url}/settings/security`);
await look("security");
await page.getByRole("link", { name: "Add a passkey" }).click();
await page.waitForURL(/\/passkeys$/);
await look("passkey");
await page.fill("[name=name]", "thinkpad");
await page.fill("[name=password_now]", PASSWORD);
await press("Add a passkey");
await says("They are not shown again");
const codes = (await page.locator("#codes").textContent()).split("\n");
must(codes.length === 10, `there are ${codes.length} recovery codes`);
await look("recovery-codes");
await page.getByRole("link", { name: "I have kept them" }).click();
await says("thinkpad");
await look("security-passkey");
must((await credentials()).length === 1, "the authenticator keeps no passkey");

console.log("the same device is not added twice");
await page.goto(`${url}/settings/security/passkeys`);
await page.fill("[name=name]", "thinkpad again");
await press("Add a passkey");
await says("This device has a passkey");

console.log("it signs in alone");
await page.goto(`${url}/workspaces`);
await signOut();
await look("login");
await press("Sign in with a passkey");
await page.waitForURL(/\/workspaces$/);

console.log("it follows the password");
await signOut();
await byPassword();
await says("Second step");
await look("second-step");
await press("Use a passkey");
await page.waitForURL(/\/workspaces$/);

console.log("a recovery code does too, once");
for (const works of [true, false]) {
  await signOut();
  await byPassword();
  await page.fill("input[name=code]", codes[0]);
  await press("Go on");
  if (works) await page.waitForURL(/\/workspaces$/);
}
await says("The code is wrong");
await page.fill("input[name=code]", codes[1]);
await press("Go on");
await page.waitForURL(/\/workspaces$/);

console.log("nobody in particular does not sign in");
await signOut();
await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
await press("Sign in with a passkey");
await says("No passkey was used");
await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });

console.log("a copy is found out");
const [credential] = await credentials();
await devtools.send("WebAuthn.removeCredential", { authenticatorId, credentialId: credential.credentialId });
await devtools.send("WebAuthn.addCredential", { authenticatorId, credential: { ...credential, signCount: 0 } });
await press("Sign in with a passkey");
await says("counter went back");

must(!wrong.length, wrong.join("; "));
console.log(`code ${codes[2]}`);
await browser.close();
console.log("the passkeys work");
