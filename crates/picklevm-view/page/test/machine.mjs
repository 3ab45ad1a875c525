// Prints what the page's machine does: node test/machine.mjs PAGE.html; for tests/python/check_trace.py. One line an op: offset, name,
// values on each of the stacks from the lowest, entries of the memo.
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const bundle = await build({ entryPoints: [fileURLToPath(new URL("../src/machine.ts", import.meta.url))], bundle: true, format: "esm", write: false });
const { Machine } = await import(`data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString("base64")}`);

for (const page of process.argv.slice(2)) {
  const html = readFileSync(page, "utf8");
  const read = (id) => JSON.parse(new RegExp(`<script type="application/json" id="${id}">(.*?)</script>`, "s").exec(html)[1]);
  const file = read("file");
  const lines = [`# ${page}`];
  file.pickles.slice(0, 1).forEach(([, start, , , element]) => {
    const machine = new Machine(file, read(element));
    while (machine.step()) {
      const { marks } = machine.state;
      const bounds = [0, ...marks, machine.stackLength];
      const heights = bounds.slice(1).map((end, at) => end - bounds[at]);
      lines.push(`${machine.offset(machine.at - 1) - start} ${machine.name(machine.at - 1)} ${heights.join(",")} ${machine.memoLength}`);
    }
    // Undoing all of it leads to the initial state.
    while (machine.back()) { /* All of them. */ }
    const { stack, memo, contents } = machine.state;
    if (machine.at !== 0 || stack.length + machine.state.marks.length + memo.size + contents.size !== 0) lines.push("not undone");
  });
  process.stdout.write(`${lines.join("\n")}\n`);
}
