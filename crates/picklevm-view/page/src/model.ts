// The data of the page: what the elements with JSON hold, and what follows from it.

/** Where a part of an object comes from; -1 of what is no object. */
export const enum Role { Plain = -1, Arg, Kwarg, Item, Entry, Attr, State, Effect, Class }

export type Row = [kind: number, text?: string, length?: number, children?: number[] | string, whole?: number, preview?: number];

export interface FileData {
  name: string;
  size: number | null;
  format: string;
  version: string;
  members: [number, string, string, number | null, number | null, string | null, number[]][];
  pickles: [title: string, offset: number, size: number, protocol: number, element: string | null][];
  kinds: string[];
  opcodes: Record<string, [name: string, doc: string, takes: number, changes: number]>;
  left: [string, string][];
  scan: Scan | null;
}

export interface Scan {
  verdict: string;
  summary: string;
  findings: { verdict: string; rule: string; doc: string; name: string | null; message: string; place: string; offset: number; pickle: number }[];
  imports: { name: string; known: string; why: string; how: string; offset: number; pickle: number }[];
  events: { python: string; action: string; known: string; offset: number; pickle: number }[];
  more: number;
}

export interface Segment {
  first: number;
  offset: number;
  below: number;
  stack: number[];
  marks: number[];
  memo: number;
  codes: number[];
  lengths: number[];
  pushed: number[];
  operands: (string | number | null)[];
  /** Ops that store at an index of the memo that it had before the first of them. */
  replaced: number[];
  /** Ops with bytes before them that are no ops, and how many. */
  skips: [op: number, bytes: number][];
}

export interface Preview {
  what: string;
  facts: [string, string][];
  /** A table: names of columns, which are numbers, and rows of cells. */
  columns?: string[];
  numeric?: boolean[];
  rows?: string[][];
  rowsInAll?: number;
  histogram?: { counts: number[]; low: number; high: number };
  images?: { width: number; height: number; channels: number; data: string }[];
}

export interface PickleData {
  roots: number[];
  nodes: Row[];
  previews: Preview[];
  trace: { total: number; segments: Segment[]; error: [number, string] | null };
  bytes: [number, string][];
}

/** A part of a value: its key, or -1, and the value, as nodes. */
export interface Part { role: Role; key: number; node: number; index: number }

/** Parses the JSON of an element. */
export function read<T>(element: string): T {
  return JSON.parse(document.getElementById(element)?.textContent ?? "null") as T;
}

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The values of one pickle. */
export class Model {
  readonly rows: Row[];
  /** For each node how many included values refer to it, and a first of these by the shortest path: node and position. */
  readonly refs: Uint32Array;
  private readonly parent: Int32Array;
  private readonly position: Int32Array;
  private readonly rank: Int32Array;
  /** Nodes that are reached from the roots, those with the shortest paths first. */
  readonly reached: number[] = [];
  private places: Map<number, [number, number][]> | null = null;

  constructor(readonly file: FileData, readonly data: PickleData) {
    this.rows = data.nodes;
    const count = this.rows.length;
    this.refs = new Uint32Array(count);
    this.parent = new Int32Array(count).fill(-1);
    this.position = new Int32Array(count).fill(-1);
    this.rank = new Int32Array(count).fill(-1);
    for (const root of data.roots) if (this.rank[root] < 0) this.visit(root);
    for (let at = 0; at < this.reached.length; at++) {
      const node = this.reached[at];
      this.each(node, (part, position) => {
        for (const child of part.key < 0 ? [part.node] : [part.node, part.key]) {
          this.refs[child]++;
          if (this.rank[child] < 0) {
            this.parent[child] = node;
            this.position[child] = position;
            this.visit(child);
          }
        }
      });
    }
  }

  private visit(node: number): void {
    this.rank[node] = this.reached.length;
    this.reached.push(node);
  }

  kind(node: number): string { return this.file.kinds[this.rows[node][0]]; }
  text(node: number): string { return this.rows[node][1] ?? ""; }
  length(node: number): number { return this.rows[node][2] ?? 0; }
  isWhole(node: number): boolean { return this.rows[node][4] === 1; }
  isReached(node: number): boolean { return this.rank[node] >= 0; }

  preview(node: number): Preview | null {
    const at = this.rows[node][5] ?? -1;
    return at < 0 ? null : this.data.previews[at];
  }

  /** Bytes that are included of a value of bytes. */
  bytes(node: number): Uint8Array | null {
    const children = this.rows[node][3];
    return typeof children === "string" ? decode(children) : null;
  }

  /** Whether a value has parts that are included. */
  hasParts(node: number): boolean {
    const children = this.rows[node][3];
    return typeof children === "object" && children.length > 0;
  }

  /** Whether a value is one that places may share: no number, text or name. */
  isCompound(node: number): boolean {
    return typeof this.rows[node][3] === "object" && (this.hasParts(node) || this.kind(node) !== "tuple");
  }

  isShared(node: number): boolean { return this.refs[node] > 1 && this.isCompound(node); }

  /** How many parts are included. */
  partCount(node: number): number {
    const children = this.rows[node][3];
    return typeof children === "object" ? children.length / this.width(node) : 0;
  }

  private width(node: number): number {
    const kind = this.kind(node);
    return kind === "object" ? 3 : kind === "dict" ? 2 : 1;
  }

  part(node: number, position: number): Part {
    const children = this.rows[node][3] as number[];
    const at = position * this.width(node);
    switch (this.width(node)) {
      case 3: return { role: children[at], key: children[at + 1], node: children[at + 2], index: position };
      case 2: return { role: Role.Plain, key: children[at], node: children[at + 1], index: position };
      default: return { role: Role.Plain, key: -1, node: children[at], index: position };
    }
  }

  each(node: number, call: (part: Part, position: number) => void): void {
    const count = this.partCount(node);
    for (let position = 0; position < count; position++) call(this.part(node, position), position);
  }

  /** Which of the parts with its role a part of an object is. */
  private ordinal(node: number, part: Part): number {
    let before = 0;
    for (let at = 0; at < part.index; at++) if (this.part(node, at).role === part.role) before++;
    return before;
  }

  private name(part: Part): string | null {
    const text = part.key < 0 ? "" : this.text(part.key);
    const name = /^u?'([^'\\]*)'$/.exec(text);
    return name && IDENTIFIER.test(name[1]) ? name[1] : null;
  }

  /** What the tree shows before a part. */
  label(node: number, part: Part): string {
    switch (part.role) {
      case Role.Plain:
        if (part.key >= 0) return `${this.short(part.key)}:`;
        return this.kind(node) === "persistent reference" ? "id" : this.isSet(node) ? "" : `${part.index}`;
      case Role.Arg: return `arg ${this.ordinal(node, part)}`;
      case Role.Kwarg: return `${this.name(part) ?? this.short(part.key)}=`;
      case Role.Item: return `${this.ordinal(node, part)}`;
      case Role.Entry: return `${this.short(part.key)}:`;
      case Role.Attr: return `.${this.name(part) ?? this.short(part.key)}`;
      case Role.State: return "state";
      case Role.Effect: return "effect";
      case Role.Class: return "class";
    }
  }

  /** The step of a path to a part, as `picklevm get` reads it. */
  step(node: number, part: Part): string {
    const keyed = (value: string): string =>
      part.key < 0 || this.isCompound(part.key) && !this.hasParts(part.key) || this.short(part.key, 2000).endsWith("…")
        ? `.__value__[${value}]` : `[${this.short(part.key, 2000)}]`;
    switch (part.role) {
      case Role.Plain:
        if (part.key >= 0) return keyed(`${part.index}`);
        if (this.kind(node) === "persistent reference") return ".id";
        return this.isSet(node) ? `[${this.short(part.node, 2000)}]` : `[${part.index}]`;
      case Role.Arg: return `.args[${this.ordinal(node, part)}]`;
      case Role.Kwarg: return `.kwargs${keyed("0")}`;
      case Role.Item: return `[${this.ordinal(node, part)}]`;
      case Role.Entry: return keyed(`${this.ordinal(node, part)}`);
      case Role.Attr: return `.${this.name(part) ?? this.short(part.key, 2000)}`;
      case Role.State: return ".state";
      case Role.Effect: return `.__effect__[${this.ordinal(node, part)}]`;
      case Role.Class: return ".class";
    }
  }

  isSet(node: number): boolean {
    const kind = this.kind(node);
    return kind === "set" || kind === "frozenset";
  }

  /** The positions that lead from a root to a node by a shortest path, and which root that is. */
  way(node: number): { root: number; positions: number[] } {
    const positions: number[] = [];
    while (this.parent[node] >= 0) {
      positions.push(this.position[node]);
      node = this.parent[node];
    }
    return { root: Math.max(0, this.data.roots.indexOf(node)), positions: positions.reverse() };
  }

  /** Every place that holds a node: another node and the position in it. */
  holders(node: number): [number, number][] {
    if (!this.places) {
      const places = new Map<number, [number, number][]>();
      for (const holder of this.reached) {
        this.each(holder, (part, position) => {
          for (const child of [part.node, part.key]) {
            if (child < 0 || this.refs[child] < 1) continue;
            const all = places.get(child);
            if (!all) places.set(child, [[holder, position]]);
            else if (all.length < 1000) all.push([holder, position]);
          }
        });
      }
      this.places = places;
    }
    return this.places.get(node) ?? [];
  }

  /** A value in Python's notation, on one line of about `most` characters. */
  short(node: number, most = 120): string {
    let text = "";
    for (const [piece] of this.notation(node, most)) text += piece;
    return text;
  }

  /** Pieces of the notation of a value, each with the node that it is of. Values that were begun already are not repeated. */
  *notation(root: number, most: number, depth = 4): Generator<[string, number]> {
    const work: (string | { node: number; level: number })[] = [{ node: root, level: 0 }];
    const open = new Set<number>();
    let written = 0;
    while (work.length > 0) {
      const next = work.pop()!;
      let piece: string;
      let of = -1;
      if (typeof next === "string") {
        piece = next;
      } else {
        of = next.node;
        const kind = this.kind(of);
        const brackets = BRACKETS[kind];
        if (!brackets) {
          piece = kind === "persistent reference" ? "persistent(…)" : this.text(of);
        } else if (open.has(of) || next.level >= depth) {
          piece = this.length(of) === 0 ? brackets.join("") : `${brackets[0]}…${brackets[1]}`;
        } else {
          const count = this.partCount(of);
          if (kind !== "tuple") open.add(of);
          const end = kind === "tuple" && this.length(of) === 1 ? `,${brackets[1]}` : brackets[1];
          const isEmptySet = kind === "set" && this.length(of) === 0;
          const parts: (string | { node: number; level: number })[] = [isEmptySet ? "set(" : brackets[0]];
          for (let at = 0; at < count && at < 40; at++) {
            if (at > 0) parts.push(", ");
            const part = this.part(of, at);
            if (part.key >= 0) parts.push({ node: part.key, level: next.level + 1 }, ": ");
            parts.push({ node: part.node, level: next.level + 1 });
          }
          if (Math.min(count, 40) < this.length(of)) parts.push(count > 0 ? ", …" : "…");
          parts.push(isEmptySet ? ")" : end);
          work.push(...parts.reverse());
          continue;
        }
      }
      if (written + piece.length > most) {
        yield [`${piece.slice(0, Math.max(0, most - written))}…`, of];
        return;
      }
      written += piece.length;
      yield [piece, of];
    }
  }
}

const BRACKETS: Record<string, [string, string]> = {
  list: ["[", "]"], tuple: ["(", ")"], dict: ["{", "}"], set: ["{", "}"], frozenset: ["frozenset({", "})"],
};

/** The bytes of base64. */
export function decode(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}
