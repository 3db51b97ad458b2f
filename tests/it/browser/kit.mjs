// What the checks in a browser share: the program, and axe-core asked within the page.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const PROGRAMS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

// CHROMIUM names the browser's program.
export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? PROGRAMS.find(existsSync),
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// Each violation in a line or two. `rules` narrows what is asked, `part` where; without them it is all.
export const violations = async (page, { rules, part } = {}) => {
  if (!await page.evaluate(() => "axe" in window)) await page.evaluate(AXE);
  const runOnly = rules ? { type: "rule", values: rules } : { type: "tag", values: TAGS };
  return page.evaluate(async ([only, within]) => {
    const { violations: found } = await window.axe.run(within ?? document, { runOnly: only, resultTypes: ["violations"] });
    const node = (n) => `\n    ${n.html.slice(0, 160)}\n    ${n.failureSummary?.split("\n").slice(1, 3).join(" ").trim()}`;
    return found.map((v) => `${v.id}: ${v.help}${v.nodes.slice(0, 4).map(node).join("")}`);
  }, [runOnly, part]);
};

// How far the page is wider than its window.
export const sideways = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
