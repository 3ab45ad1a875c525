// Pages of real files: every pane is used, and stepping back undoes stepping forward.
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { close, makePage, open, ROOT, skip } from "./browser.mjs";

const some = (folder, every) => readdirSync(join(ROOT, folder)).filter((name) => /\.(pkl|pt|joblib)$/.test(name)).filter((_, at) => at % every === 0).map((name) => `${folder}/${name}`);
const LIBRARIES = "crates/picklevm-files/tests/data/libraries";
const MADE = "crates/picklevm-files/tests/data/made";
const FILES = [
  "examples/data/session-python2.7.pkl", "examples/data/session-python3.13.pkl",
  ...some("tests/data/corpus", 3), ...some("tests/data/arrays", 7), ...some("tests/scan/attacks", 150),
  `${LIBRARIES}/torch-1.13.pt`, `${LIBRARIES}/torch-1.13-legacy.pt`, `${LIBRARIES}/joblib-1.4.2.joblib`,
  `${MADE}/zip.zip`, `${MADE}/tar.tar.gz`, `${MADE}/npz.npz`, `${MADE}/npy-numbers.npy`, `${MADE}/cut.pkl`, `${MADE}/row.pkl`,
];

after(close);

/** The row of a key. */
const row = (tab, label) => tab.locator(`[role=treeitem]:has(> .label:text-is("${label}"))`).first();

/** The state of the machine as the page shows it. */
const state = (tab) => tab.evaluate(() => {
  const { at, stack, marks, memo } = document.querySelector(".machine").dataset;
  return JSON.stringify([at, stack, marks, memo, document.querySelector(".state").innerText]);
});

test("every pane of pages of real files works, and reports nothing to the console", { skip, timeout: 600_000 }, async () => {
  for (const file of FILES) {
    const { tab, problems, close: done } = await open(makePage(file));
    // Values: open what there is by the keyboard, and select it.
    const rows = await tab.locator("[role=treeitem]").count();
    if (rows > 0) {
      await tab.locator("[role=treeitem][tabindex='0']").focus();
      for (let at = 0; at < 12; at++) {
        await tab.keyboard.press("ArrowRight");
        await tab.keyboard.press("ArrowDown");
      }
      assert.ok(await tab.locator("[role=treeitem][aria-selected=true]").count() === 1, file);
    }
    await tab.click("#tab-graph");
    if (rows > 0) assert.ok(await tab.locator("g.box").count() > 0, file);
    await tab.keyboard.press("Tab");
    // Machine: to the end by steps and back.
    await tab.click("#tab-machine");
    const initial = await state(tab);
    const ops = Number(await tab.locator("input[type=range]").getAttribute("max"));
    await tab.locator(".oprows").focus();
    const steps = Math.min(ops, 24);
    const states = [initial];
    for (let at = 0; at < steps; at++) {
      await tab.keyboard.press("ArrowRight");
      states.push(await state(tab));
    }
    for (let at = steps - 1; at >= 0; at--) {
      await tab.keyboard.press("ArrowLeft");
      if (at % 7 === 0) assert.equal(await state(tab), states[at], `${file}: op ${at}`);
    }
    await tab.keyboard.press("End");
    assert.equal(await tab.locator(".machine").getAttribute("data-at"), `${ops}`, file);
    await tab.keyboard.press("Home");
    assert.equal(await state(tab), initial, file);
    await tab.click("#tab-safety");
    assert.ok(await tab.locator(".verdict").count() === 1, file);
    assert.deepEqual(problems, [], file);
    await done();
  }
});

test("a shared value is highlighted in every place, and its link leads to the first", { skip }, async () => {
  // {'a': p, 'b': [p], 'self': itself}, with p = [1, 2].
  const bytes = Buffer.from("80047d71002858010000006171015d7102284b014b026558010000006271035d68026158040000007365" + "6c66680075" + "2e", "hex");
  const { tab, problems, close: done } = await open(makePage("shared.pkl", { bytes }));
  assert.match(await tab.locator("[role=tree]").innerText(), /'self': .*cycle/);
  const first = row(tab, "'a':");
  await first.click();
  assert.match(await tab.locator(".details").innerText(), /2: one object, not 2 equal ones/);
  // The list below 'b' is open from the beginning.
  const second = tab.locator(".row.same:not([aria-selected=true])");
  assert.equal(await second.count(), 1);
  await second.locator("[data-jump]").click();
  assert.match(await tab.locator("[aria-selected=true][role=treeitem]").innerText(), /'a':/);
  await tab.click("#tab-graph");
  await tab.click("text=Whole");
  assert.ok(await tab.locator(".edge.cycle").count() >= 1);
  assert.ok(await tab.locator(".box.shared").count() >= 1);
  assert.deepEqual(problems, []);
  await done();
});

test("search finds keys and values and opens the way to them", { skip }, async () => {
  const { tab, close: done } = await open(makePage("examples/data/session-python3.13.pkl"));
  await tab.keyboard.press("/");
  await tab.keyboard.type("a-1");
  await tab.waitForSelector(".status:has-text('1 of 1 place')");
  assert.match(await tab.locator(".details code").first().innerText(), /^\['cart'\]\[0\]\['sku'\]$/);
  await done();
});

test("path and value can be copied", { skip }, async () => {
  const { tab, close: done } = await open(makePage("examples/data/session-python3.13.pkl"));
  await row(tab, "'cart':").click();
  await tab.click("text=Copy path");
  assert.equal(await tab.evaluate(() => navigator.clipboard.readText()), "['cart']");
  await tab.click("text=Copy value");
  assert.equal(await tab.evaluate(() => navigator.clipboard.readText()), "[{'sku': 'A-1', 'qty': 2, 'price': decimal.Decimal('9.99')}]");
  await done();
});

test("an op leads to the value that it made, and back", { skip }, async () => {
  const { tab, close: done } = await open(makePage("examples/data/session-python3.13.pkl"));
  await row(tab, "'cart':").click();
  await tab.locator(".details .facts button.link").first().click();
  assert.match(await tab.locator(".opname").innerText(), /EMPTY_LIST/);
  await tab.locator(".did dd .cell").last().click();
  assert.match(await tab.locator("[role=treeitem][aria-selected=true]").innerText(), /'cart':/);
  await done();
});

test("an array that joblib wrote leads to the op that made it, and the bytes are those of the file", { skip }, async () => {
  const { tab, problems, close: done } = await open(makePage(`${LIBRARIES}/joblib-1.4.2.joblib`));
  await row(tab, "'x':").click();
  assert.equal(await tab.locator(".preview").count(), 1);
  await tab.locator(".details .facts button.link").first().click();
  assert.match(await tab.locator(".opname").innerText(), /NEWOBJ|REDUCE/);
  // The last op lies at the end of the file, behind the arrays.
  await tab.locator(".oprows").focus();
  await tab.keyboard.press("End");
  assert.match(await tab.locator(".opname").innerText(), /STOP/);
  assert.match(await tab.locator(".oprows [aria-selected=true]").innerText(), new RegExp(`${statSync(join(ROOT, LIBRARIES, "joblib-1.4.2.joblib")).size - 1}`));
  assert.deepEqual(problems, []);
  await done();
});

test("the memo is counted where ops are left out that stored at the same indexes", { skip }, async () => {
  // Each round stores at a new index, and at one that was stored at before.
  const put = (index) => Buffer.from([0x4e, 0x72, index & 255, index >> 8, 0, 0, 0x30]);
  const rounds = Array.from({ length: 2000 }, (_, round) => Buffer.concat([put(round), put(Math.floor(round / 3))]));
  const bytes = Buffer.concat([Buffer.from([0x80, 2, 0x5d]), ...rounds, Buffer.from(".")]);
  const { tab, problems, close: done } = await open(makePage("again.pkl", { bytes, options: ["--max-ops", "2400"] }));
  await tab.click("#tab-machine");
  const initial = await state(tab);
  await tab.locator(".oprows").focus();
  await tab.keyboard.press("End");
  assert.equal(await tab.locator(".machine").getAttribute("data-memo"), "2000");
  await tab.keyboard.press("Home");
  assert.equal(await state(tab), initial);
  assert.deepEqual(problems, []);
  await done();
});

test("a run stops at opcodes and globals", { skip }, async () => {
  const { tab, close: done } = await open(makePage("tests/scan/attacks/manual_system.pkl"));
  await tab.click("#tab-machine");
  await tab.fill("input[list=stops]", "reduce");
  await tab.keyboard.press("Enter");
  assert.match(await tab.locator(".opname").innerText(), /REDUCE/);
  await tab.fill("input[list=stops]", "system");
  await tab.keyboard.press("Shift+Enter");
  assert.match(await tab.locator(".opname").innerText(), /GLOBAL|INST/);
  await done();
});

test("a reason of the scanner leads to its opcode", { skip }, async () => {
  const { tab, close: done } = await open(makePage("tests/scan/attacks/manual_system.pkl"));
  await tab.click(".chip");
  assert.match(await tab.locator(".verdict").innerText(), /DANGEROUS/);
  await tab.locator(".findings button.link").first().click();
  assert.ok(await tab.locator("#tab-machine[aria-selected=true]").count() === 1);
  assert.ok(Number(await tab.locator(".machine").getAttribute("data-at")) > 0);
  await done();
});

test("a table is sorted by the column that is chosen, numbers as numbers", { skip }, async () => {
  const { tab, close: done } = await open(makePage("tests/data/arrays/pd3.1-mixed-p5.pkl"));
  const column = () => tab.locator(".preview tbody tr").evaluateAll((rows) => rows.map((row) => Number(row.children[0].textContent)));
  await tab.locator(".preview thead button").first().click();
  const up = await column();
  assert.deepEqual(up, [...up].sort((a, b) => a - b));
  await tab.locator(".preview thead button").first().click();
  assert.deepEqual(await column(), [...up].reverse());
  await done();
});

test("members of an archive are in a side bar", { skip }, async () => {
  const { tab, problems, close: done } = await open(makePage(`${MADE}/zip.zip`));
  await tab.locator("nav button", { hasText: "b.pkl" }).click();
  assert.match(await tab.locator("[role=tree]").innerText(), /\[1, 2, 3\]/);
  assert.deepEqual(problems, []);
  await done();
});
