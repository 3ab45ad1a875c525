// Makes the pictures of docs/view.md: npm run pictures. Needs what test/browser.mjs needs.
import { mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { close, makePage, open, pickle, ROOT, skip, text } from "./test/browser.mjs";

if (skip) throw new Error(skip);
const folder = join(ROOT, "docs/pictures");
mkdirSync(folder, { recursive: true });
const SESSION = "examples/data/session-python3.13.pkl";

// {'name': 'garden', 'from': bed, 'to': bed, 'beds': [bed, itself]}, with bed = {'plants': ['dill', 'cucumber'], 'size': (2, 3)}.
const bed = ["}(", text("plants"), "](", text("dill"), text("cucumber"), "e", text("size"), "K\x02K\x03\x86u\x94"];
const garden = pickle("}\x94(", text("name"), text("garden"), text("from"), ...bed, text("to"), "h\x01", text("beds"), "](h\x01", "h\x00eu");

const row = (tab, label) => tab.locator(`[role=treeitem]:has(> .label:text-is("${label}"))`).first();
const PICTURES = {
  value: [SESSION, "light", async (tab) => { await row(tab, "'cart':").locator(".twist").click(); await row(tab, "'cart':").click(); }],
  table: ["tests/data/arrays/pd3.1-mixed-p5.pkl", "light", async () => {}],
  graph: [{ garden }, "light", async (tab) => { await tab.click("#tab-graph"); }],
  machine: [SESSION, "dark", async (tab) => { await tab.click("#tab-machine"); await tab.fill("input[list=stops]", "REDUCE"); await tab.keyboard.press("Enter"); }],
  safety: ["tests/scan/attacks/manual_system.pkl", "light", async (tab) => { await tab.click("#tab-safety"); }],
};

for (const [name, [file, colorScheme, use]] of Object.entries(PICTURES)) {
  const made = typeof file === "string" ? makePage(file) : makePage("garden.pkl", { bytes: file.garden });
  const { tab, close: done } = await open(made, { width: 1200, height: 700, colorScheme });
  await use(tab);
  await tab.mouse.move(0, 0);
  await tab.waitForTimeout(300);
  const path = join(folder, `${name}.png`);
  await tab.screenshot({ path });
  console.log(`${path}: ${statSync(path).size} bytes`);
  await done();
}
await close();
