// For everyone: a screen reader, the keyboard alone, narrow windows, light and dark.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { close, makePage, open, skip } from "./browser.mjs";

after(close);

const FILES = [
  "examples/data/session-python3.13.pkl", "tests/data/arrays/pd3.1-mixed-p5.pkl", "tests/data/arrays/cifar10.pkl", "tests/scan/attacks/manual_system.pkl",
  "crates/picklevm-files/tests/data/libraries/torch-1.13.pt", "crates/picklevm-files/tests/data/made/zip.zip", "tests/data/corpus/2.7-py-p0.pkl",
];
const PANES = ["value", "graph", "machine", "safety"];

test("axe finds nothing serious, light and dark", { skip, timeout: 600_000 }, async () => {
  const axe = readFileSync(new URL("../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
  const all = [];
  for (const file of FILES) {
    for (const colorScheme of ["light", "dark"]) {
      const { tab, close: done } = await open(makePage(file), { colorScheme, bypassCSP: true });
      await tab.evaluate(axe);
      for (const pane of PANES) {
        await tab.click(`#tab-${pane}`);
        if (pane === "machine") await tab.keyboard.press("End");
        const found = await tab.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
        const serious = found.violations.filter(({ impact }) => impact === "serious" || impact === "critical");
        const shown = serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`).join("\n")}`);
        all.push(...shown.map((violation) => `${file}, ${pane}, ${colorScheme}: ${violation}`));
      }
      await done();
    }
  }
  assert.deepEqual(all, []);
});

test("everything is reached by the keyboard alone", { skip }, async () => {
  const { tab, close: done } = await open(makePage("examples/data/session-python3.13.pkl"));
  const focused = () => tab.evaluate(() => document.activeElement.id || document.activeElement.getAttribute("role") || document.activeElement.textContent);
  const until = async (wanted) => {
    for (let at = 0; at < 40; at++) {
      if (await focused() === wanted) return;
      await tab.keyboard.press("Tab");
    }
    assert.fail(`no ${wanted}`);
  };
  await until("tab-value");
  await until("treeitem");
  await tab.keyboard.press("ArrowDown");
  assert.match(await tab.locator(".details code").first().innerText(), /user/);
  await until("Copy path");
  await tab.locator("#tab-value").focus();
  await tab.keyboard.press("ArrowRight");
  assert.equal(await focused(), "tab-graph");
  for (let at = 0; at < 12; at++) await tab.keyboard.press("Tab");
  await tab.locator("#tab-graph").focus();
  await tab.keyboard.press("ArrowRight");
  await until("listbox");
  await tab.keyboard.press("ArrowRight");
  assert.equal(await tab.locator(".machine").getAttribute("data-at"), "1");
  await done();
});

test("nothing is cut off at the side of a narrow window", { skip }, async () => {
  for (const file of FILES) {
    const { tab, close: done } = await open(makePage(file), { width: 360, height: 700 });
    for (const pane of PANES) {
      await tab.click(`#tab-${pane}`);
      const wide = await tab.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
      assert.ok(wide <= 0, `${file}, ${pane}: ${wide} pixels too wide`);
    }
    await done();
  }
});

test("light and dark can be chosen", { skip }, async () => {
  const { tab, close: done } = await open(makePage("examples/data/session-python3.13.pkl"), { colorScheme: "light" });
  const color = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await color();
  await tab.click(".theme");
  assert.notEqual(await color(), light);
  await tab.click(".theme");
  assert.equal(await color(), light);
  await done();
});
