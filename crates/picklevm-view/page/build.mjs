// Makes dist/page.js and dist/page.css of src. With --check it only says whether they are what it would make.
import { build } from "esbuild";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const result = await build({
  entryPoints: { page: here("src/main.ts"), style: here("src/page.css") },
  absWorkingDir: here("."),
  outdir: here("dist"),
  bundle: true,
  minify: true,
  charset: "ascii",
  format: "iife",
  target: "es2022",
  legalComments: "none",
  write: false,
});

let stale = 0;
for (const file of result.outputFiles) {
  const path = file.path.replace("style.css", "page.css");
  if (process.argv.includes("--check")) {
    let now = "";
    try { now = readFileSync(path, "utf8"); } catch { /* There is none. */ }
    if (now !== file.text) {
      console.error(`${path} is not what src makes; run: npm run build`);
      stale = 1;
    }
  } else {
    writeFileSync(path, file.text);
    console.log(`${path}: ${file.text.length} bytes`);
  }
}
process.exit(stale);
