// A browser, pages of files, and what tests of both share.
//
// Install the browser with `apt-get install -y chromium`, the packages with `npm ci`, the program with `cargo build -p picklevm-cli`.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const CHROMIUM = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find((path) => path && existsSync(path));
const PROGRAM = process.env.PICKLEVM ?? join(ROOT, "target/debug/picklevm");

/** Why tests are skipped, or false. */
export const skip = !CHROMIUM ? "there is no chromium: apt-get install -y chromium" : !existsSync(PROGRAM) ? `there is no ${PROGRAM}: cargo build -p picklevm-cli` : false;

const folder = mkdtempSync(join(tmpdir(), "picklevm-view-"));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
let count = 0;

/** Makes the page of a file, or of bytes that are written to a file of a name. Returns its path. */
export function makePage(file, { bytes, options = [] } = {}) {
  const path = bytes ? join(folder, file) : file.startsWith("/") ? file : join(ROOT, file);
  if (bytes) writeFileSync(path, bytes);
  const page = join(folder, `${count++}.html`);
  execFileSync(PROGRAM, ["view", path, "-o", page, ...options], { stdio: ["ignore", "ignore", "pipe"] });
  return page;
}

let browser = null;

export async function launch() {
  const { chromium } = await import("playwright-core");
  browser ??= await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  return browser;
}

export async function close() {
  await browser?.close();
  browser = null;
}

/** Opens a page. `problems` gathers messages of the console, errors, dialogs, and requests but for the page. */
export async function open(page, { width = 1280, height = 800, ...options } = {}) {
  const context = await (await launch()).newContext({ viewport: { width, height }, permissions: ["clipboard-read", "clipboard-write"], ...options });
  const tab = await context.newPage();
  const problems = [];
  tab.on("console", (message) => problems.push(`console: ${message.text()}`));
  tab.on("pageerror", (error) => problems.push(`error: ${error.stack}`));
  tab.on("dialog", (dialog) => { problems.push(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
  tab.on("request", (request) => { if (request.url() !== `file://${page}`) problems.push(`request: ${request.url()}`); });
  tab.on("popup", () => problems.push("popup"));
  await tab.goto(`file://${page}`);
  await tab.waitForSelector("[role=tablist]");
  return { tab, problems, close: () => context.close() };
}

/** A text of a pickle of protocol 4. */
export function text(string) {
  const bytes = Buffer.from(string);
  const head = Buffer.alloc(5);
  head[0] = 0x58;
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** A pickle of protocol 4 of parts: bytes and strings of opcodes. */
export function pickle(...parts) {
  return Buffer.concat([Buffer.from([0x80, 4]), ...parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)), Buffer.from(".")]);
}
