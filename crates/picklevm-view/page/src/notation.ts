// Values as text: in rows, with colors, and whole, to be copied.

import { el } from "./dom";
import { Model, Role } from "./model";

const CLASSES: Record<string, string> = {
  NoneType: "keyword", bool: "keyword", int: "number", float: "number", complex: "number",
  str: "string", bytes: "bytes", "8-bit str": "bytes", bytearray: "bytes", global: "name", object: "object",
  "persistent reference": "reference", buffer: "reference", "extension code": "reference",
};

/** The class of a node's color. */
export function color(model: Model, node: number): string {
  return CLASSES[model.kind(node)] ?? "";
}

/** A value in a row: pieces with colors. Behind containers stands how much is in them. */
export function pieces(model: Model, node: number, most = 110): Node[] {
  const preview = model.preview(node);
  if (preview) return [el("span", { class: "notation object" }, preview.what)];
  const text: Node[] = [];
  for (const [piece, of] of model.notation(node, most, 3)) {
    text.push(of < 0 || !color(model, of) ? document.createTextNode(piece) : el("span", { class: color(model, of) }, piece));
  }
  const row = el("span", { class: "notation" });
  row.append(...text);
  const kind = model.kind(node);
  const size = kind in UNITS && model.length(node) > 3 ? `${model.length(node).toLocaleString("en")} ${UNITS[kind]}` : "";
  return size ? [row, document.createTextNode(" "), el("span", { class: "size" }, size)] : [row];
}

const UNITS: Record<string, string> = {
  list: "items", tuple: "items", set: "members", frozenset: "members", dict: "entries",
  bytes: "bytes", bytearray: "bytes", "8-bit str": "bytes",
};

/** Characters of text that is copied at most. */
const MOST = 8 << 20;

/** A value in the notation of `picklevm show`: shared values once, as `&1 value`, and as `*1` then. */
export function whole(model: Model, root: number): string {
  const seen = new Map<number, number>();
  const shared = new Map<number, number>();
  const todo = [root];
  while (todo.length > 0) {
    const node = todo.pop()!;
    const before = seen.get(node) ?? 0;
    seen.set(node, before + 1);
    if (before > 0) continue;
    model.each(node, (part) => {
      todo.push(part.node);
      if (part.key >= 0) todo.push(part.key);
    });
  }
  const text: string[] = [];
  let length = 0;
  const work: (string | number)[] = [root];
  while (work.length > 0 && length < MOST) {
    const next = work.pop()!;
    if (typeof next === "string") {
      text.push(next);
      length += next.length;
      continue;
    }
    if (model.isCompound(next) && (seen.get(next) ?? 0) > 1 && !(model.kind(next) === "object" && model.isWhole(next))) {
      const number = shared.get(next);
      if (number !== undefined) {
        text.push(`*${number}`);
        continue;
      }
      shared.set(next, shared.size + 1);
      text.push(`&${shared.size} `);
    }
    work.push(...parts(model, next).reverse());
  }
  return text.join("") + (length < MOST ? "" : "…");
}

/** Text and nodes that a value is made of. */
function parts(model: Model, node: number): (string | number)[] {
  const kind = model.kind(node);
  const [open, close] = { list: ["[", "]"], tuple: ["(", ")"], dict: ["{", "}"], set: ["{", "}"], frozenset: ["frozenset({", "})"] }[kind] ?? ["", ""];
  if (kind === "object" && !model.isWhole(node)) return objectParts(model, node);
  if (kind === "persistent reference") return ["persistent(", ...items(model, node), ")"];
  if (!open) return [model.text(node)];
  if (model.length(node) === 0) return [kind === "set" ? "set()" : kind === "frozenset" ? "frozenset()" : open + close];
  const end = kind === "tuple" && model.length(node) === 1 ? `,${close}` : close;
  return [open, ...items(model, node), end];
}

function items(model: Model, node: number, role = Role.Plain): (string | number)[] {
  const all: (string | number)[] = [];
  model.each(node, (part) => {
    if (part.role !== role) return;
    if (all.length > 0) all.push(", ");
    if (part.key >= 0) all.push(part.key, ": ");
    all.push(part.node);
  });
  const left = model.length(node) - model.partCount(node);
  if (left > 0 && role === Role.Plain) all.push(`${all.length > 0 ? ", " : ""}... ${left} more`);
  return all;
}

/** An object: the name of its class from its notation, then its parts. */
function objectParts(model: Model, node: number): (string | number)[] {
  const of = (role: Role): (string | number)[] => items(model, node, role);
  const name = /^[^({\s]*/.exec(model.text(node))![0];
  const kwargs = of(Role.Kwarg);
  const args = of(Role.Arg);
  const all: (string | number)[] = [name, "(", ...args, ...(kwargs.length > 0 ? [args.length > 0 ? ", **{" : "**{", ...kwargs, "}"] : []), ")"];
  const add = (word: string, open: string, role: Role, close: string): void => {
    const inner = of(role);
    if (inner.length > 0) all.push(` with ${word} ${open}`, ...inner, close);
  };
  add("items", "[", Role.Item, "]");
  add("items", "{", Role.Entry, "}");
  add("state", "{", Role.Attr, "}");
  add("state", "", Role.State, "");
  const left = model.length(node) - model.partCount(node);
  if (left > 0) all.push(` ... ${left} more`);
  return all;
}
