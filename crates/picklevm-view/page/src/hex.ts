// Bytes as rows of hexadecimal digits and characters.

import { el } from "./dom";

const WIDTH = 16;

/** Rows of bytes. `mark` says of an offset which class its byte has. */
export function hexRows(bytes: Uint8Array, start: number, label: string, mark: (offset: number) => string = () => ""): HTMLElement {
  const rows = el("div", { class: "hex", role: "group", "aria-label": label, tabindex: 0 });
  const first = start - start % WIDTH;
  for (let row = first; row < start + bytes.length; row += WIDTH) {
    const digits = el("span", { class: "digits" });
    const chars = el("span", { class: "chars" });
    for (let offset = row; offset < row + WIDTH; offset++) {
      const byte = bytes[offset - start];
      const isThere = offset >= start && offset < start + bytes.length;
      const name = isThere ? mark(offset) : "";
      const data = { class: name || "none", ...(isThere ? { "data-offset": offset } : {}) };
      digits.append(el("span", data, isThere ? byte.toString(16).padStart(2, "0") : "  "), offset % WIDTH === 7 ? "  " : " ");
      const char = isThere ? (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·") : " ";
      chars.append(name ? el("span", { class: name }, char) : char);
    }
    rows.append(el("div", { class: "hexrow" }, el("span", { class: "offset" }, row.toString().padStart(7)), " ", digits, " ", chars));
  }
  return rows;
}
