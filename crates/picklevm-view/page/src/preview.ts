// Arrays, tables and tensors: facts, a histogram, images, and rows that can be sorted.

import { count, el, svg } from "./dom";
import { decode, Preview } from "./model";

export function showPreview(preview: Preview): HTMLElement {
  const facts = el("dl", { class: "facts" });
  for (const [name, text] of preview.facts) facts.append(el("dt", {}, name), el("dd", {}, text));
  const box = el("div", { class: "preview" }, el("h2", {}, preview.what), facts);
  if (preview.histogram) box.append(histogram(preview.histogram));
  if (preview.images) {
    const strip = el("div", { class: "images" });
    preview.images.forEach((image, at) => strip.append(draw(image, `Image ${at + 1} of ${preview.images!.length}`)));
    box.append(strip);
  }
  if (preview.columns && preview.rows) box.append(table(preview));
  return box;
}

function histogram({ counts, low, high }: { counts: number[]; low: number; high: number }): HTMLElement {
  const most = Math.max(...counts, 1);
  const chart = svg("svg", { class: "histogram", viewBox: `0 0 ${counts.length * 10} 40`, preserveAspectRatio: "none", role: "img", "aria-label": `Histogram from ${low} to ${high}: ${counts.join(", ")}` });
  counts.forEach((number, at) => {
    const height = number === 0 ? 0 : Math.max(1, 38 * number / most);
    chart.append(svg("rect", { x: at * 10 + 1, y: 40 - height, width: 8, height }));
  });
  return el("figure", {}, chart, el("figcaption", {}, el("span", {}, `${low}`), el("span", {}, `${high}`)));
}

function draw({ width, height, channels, data }: { width: number; height: number; channels: number; data: string }, label: string): HTMLElement {
  const canvas = el("canvas", { width, height, role: "img", "aria-label": label });
  const scale = Math.max(1, Math.floor(96 / Math.max(width, height)));
  canvas.style.width = `${width * scale}px`;
  canvas.style.height = `${height * scale}px`;
  const bytes = decode(data);
  const pixels = new ImageData(width, height);
  for (let at = 0; at < width * height; at++) {
    for (let channel = 0; channel < 3; channel++) pixels.data[4 * at + channel] = bytes[at * channels + (channels > 2 ? channel : 0)];
    pixels.data[4 * at + 3] = channels === 4 ? bytes[4 * at + 3] : 255;
  }
  canvas.getContext("2d")?.putImageData(pixels, 0, 0);
  return canvas;
}

function table(preview: Preview): HTMLElement {
  const columns = preview.columns!;
  const rows = preview.rows!.map((cells, at) => ({ cells, at }));
  const body = el("tbody");
  const head = el("tr");
  let sorted = -1;
  let isDown = false;
  const fill = (): void => body.replaceChildren(...rows.map(({ cells }) =>
    el("tr", {}, ...cells.map((cell, at) => el(at === 0 ? "th" : "td", at === 0 ? { scope: "row" } : preview.numeric?.[at] ? { class: "number" } : {}, cell)))));
  columns.forEach((name, at) => {
    const sort = el("button", { type: "button", title: "Sort by this column" }, name || "index");
    const cell = el("th", { scope: "col", "aria-sort": "none" }, sort);
    sort.addEventListener("click", () => {
      isDown = sorted === at && !isDown;
      sorted = at;
      const way = isDown ? -1 : 1;
      rows.sort((a, b) => way * compare(a.cells[at], b.cells[at], preview.numeric?.[at] ?? false) || a.at - b.at);
      for (const other of head.children) other.setAttribute("aria-sort", "none");
      cell.setAttribute("aria-sort", isDown ? "descending" : "ascending");
      fill();
    });
    head.append(cell);
  });
  fill();
  const box = el("div", { class: "tablebox", tabindex: 0, role: "group", "aria-label": "Rows" }, el("table", {}, el("thead", {}, head), body));
  const all = preview.rowsInAll ?? rows.length;
  const note = all > rows.length ? el("p", { class: "note" }, `The first ${rows.length.toLocaleString("en")} of ${count(all, "row")}; picklevm convert writes all.`) : null;
  return el("div", {}, box, note);
}

function compare(a: string, b: string, isNumeric: boolean): number {
  if (!isNumeric) return a < b ? -1 : a > b ? 1 : 0;
  const [left, right] = [Number(a.replace(/_/g, "")), Number(b.replace(/_/g, ""))];
  if (Number.isNaN(left) || Number.isNaN(right)) return Number(Number.isNaN(left)) - Number(Number.isNaN(right));
  return left - right;
}
