// What is known of one value: its path, its places, its text, bytes or data.

import { copier, count, el, link } from "./dom";
import { hexRows } from "./hex";
import { Model } from "./model";
import { whole } from "./notation";
import { showPreview } from "./preview";
import { Links, places } from "./value";

/** Characters of text in the side. */
const TEXT = 20_000;

export function details(model: Model, node: number, path: string, links: Links, jump: (node: number, holder: number, position: number) => void): Node[] {
  const made = links.madeBy(node);
  const facts = el("dl", { class: "facts" });
  const fact = (name: string, ...value: (Node | string)[]): void => facts.append(el("dt", {}, name), el("dd", {}, ...value));
  fact("Path", el("code", {}, path || "(the value itself)"));
  fact("Type", typeText(model, node));
  const refs = model.refs[node];
  if (model.isShared(node)) fact("Places", `${refs}: one object, not ${refs} equal ones`, places(model, node, jump));
  if (made) fact("Made by", link(`opcode ${made.op.toLocaleString("en")} at offset ${made.offset.toLocaleString("en")}`, () => links.toOp(node)));
  const buttons = el("div", { class: "buttons" }, copier("path", () => path), copier("value", () => whole(model, node)));
  if (model.isCompound(node)) {
    const graph = el("button", { type: "button", class: "small" }, "Show in graph");
    graph.addEventListener("click", () => links.toGraph(node));
    buttons.append(graph);
  }
  const shown: Node[] = [facts, buttons];
  const preview = model.preview(node);
  if (preview) shown.push(showPreview(preview));
  const bytes = model.bytes(node);
  if (bytes && bytes.length > 0) {
    shown.push(el("h2", {}, "Bytes"), hexRows(bytes, 0, "Bytes of the value"));
    if (bytes.length < model.length(node)) shown.push(el("p", { class: "note" }, `The first ${count(bytes.length, "byte")} of ${model.length(node).toLocaleString("en")}; --max-bytes includes more.`));
  }
  if (model.kind(node) === "str" && model.text(node).length > 60) {
    shown.push(el("h2", {}, "Text"), el("pre", { class: "text", tabindex: 0 }, unescape(model.text(node))));
  } else if (!preview && model.isCompound(node) && model.length(node) > 0) {
    shown.push(el("h2", {}, "Notation"), el("pre", { class: "text", tabindex: 0 }, model.kind(node) === "object" ? model.text(node) : model.short(node, 2000)));
  }
  return shown;
}

function typeText(model: Model, node: number): string {
  const kind = model.kind(node);
  const length = model.length(node);
  switch (kind) {
    case "str": return `str, ${count(length, "byte")} of UTF-8`;
    case "bytes": case "bytearray": case "8-bit str": case "buffer": return `${kind}, ${count(length, "byte")}`;
    case "dict": return `dict, ${length === 1 ? "1 entry" : `${length.toLocaleString("en")} entries`}`;
    case "set": case "frozenset": return `${kind}, ${count(length, "member")}`;
    case "list": case "tuple": return `${kind}, ${count(length, "item")}`;
    case "object": return "an object that the pickle makes by a call";
    case "global": return "a class or function, by name";
    default: return kind;
  }
}

/** The lines of a text of which we have the notation. */
function unescape(notation: string): string {
  return notation.slice(0, TEXT).replace(/\\n/g, "\n").replace(/\\t/g, "\t").replace(/\\'/g, "'");
}
