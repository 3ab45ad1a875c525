// The machine, as the page steps through the ops that it has. Each step can be undone.

import { FileData, PickleData, Segment } from "./model";

export interface State {
  /** Values at the bottom of the stack that the page leaves out. */
  below: number;
  stack: number[];
  /** Positions on the whole stack where what is above a mark begins. */
  marks: number[];
  memo: Map<number, number>;
  /** Entries of the memo that the page leaves out. */
  memoBelow: number;
  /** What ops made of containers and objects: the values that each op put into it. */
  contents: Map<number, number[][]>;
}

/** What an op did, and how it is undone. */
export interface Done {
  popped: number[];
  changed: number;
  pushed: number;
  /** Index in the memo, or -1. */
  stored: number;
  tookMark: boolean;
  madeMark: boolean;
  before: number | undefined;
  /** Whether it stored at an index of the memo that the page leaves out. */
  isReplaced: boolean;
  isMade: boolean;
  /** The state before, where ops are left out. */
  saved: State | null;
}

export class Machine {
  /** How many ops were run. */
  at = 0;
  state: State = { below: 0, stack: [], marks: [], memo: new Map(), memoBelow: 0, contents: new Map() };
  readonly count: number;
  private readonly done: Done[] = [];
  private readonly segments: Segment[];
  /** The number of the first op of each segment among those that the page has. */
  private readonly starts: number[] = [];
  private readonly offsets: Float64Array;
  /** Ops that store at an index of the memo that their segment leaves out. */
  private readonly replaced = new Set<number>();
  private readonly makers = new Map<number, number>();
  private readonly changes = new Map<number, number>();

  constructor(private readonly file: FileData, data: PickleData) {
    this.segments = data.trace.segments.filter((segment) => segment.codes.length > 0);
    let count = 0;
    for (const segment of this.segments) {
      this.starts.push(count);
      count += segment.codes.length;
    }
    this.count = count;
    this.offsets = new Float64Array(count + 1);
    let end = 0;
    this.segments.forEach((segment, number) => {
      end = segment.offset;
      for (const at of segment.replaced) this.replaced.add(this.starts[number] + at);
      const skips = new Map(segment.skips);
      for (let at = 0; at < segment.codes.length; at++) {
        end += skips.get(at) ?? 0;
        this.offsets[this.starts[number] + at] = end;
        end += segment.lengths[at];
      }
    });
    this.offsets[count] = end;
    for (let op = 0; op < count; op++) {
      const pushed = this.pushed(op);
      if (pushed >= 0 && this.makes(op) && !this.makers.has(pushed)) this.makers.set(pushed, op);
    }
  }

  /** The segment of an op, and its number in it. */
  private find(op: number): [Segment, number] {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= op) low = middle;
      else high = middle - 1;
    }
    return [this.segments[low], op - this.starts[low]];
  }

  /** The number of an op among all of the pickle. */
  number(op: number): number {
    const [segment, at] = this.find(op);
    return segment.first + at;
  }

  /** Whether ops are left out before this one. */
  gap(op: number): number {
    if (op === 0) return this.count > 0 ? this.segments[0].first : 0;
    const [segment, at] = this.find(op);
    return at > 0 ? 0 : segment.first - this.number(op - 1) - 1;
  }

  code(op: number): number {
    const [segment, at] = this.find(op);
    return segment.codes[at];
  }

  name(op: number): string { return this.file.opcodes[this.code(op)][0]; }
  doc(op: number): string { return this.file.opcodes[this.code(op)][1]; }
  offset(op: number): number { return this.offsets[op]; }

  length(op: number): number {
    const [segment, at] = this.find(op);
    return segment.lengths[at];
  }

  pushed(op: number): number {
    const [segment, at] = this.find(op);
    return segment.pushed[at];
  }

  operand(op: number): string | number | null {
    const [segment, at] = this.find(op);
    return segment.operands[at];
  }

  /** Whether the value that an op pushes is one that it made. */
  makes(op: number): boolean {
    const name = this.name(op);
    return !name.endsWith("GET") && name !== "DUP";
  }

  /** The op that made a value, or -1. */
  maker(node: number): number { return this.makers.get(node) ?? -1; }

  /** The op at an offset or around it, or -1. */
  opAt(offset: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.offsets[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return this.count > 0 && this.offsets[low] <= offset && offset < this.offsets[low] + this.length(low) ? low : -1;
  }

  /** What the last op did. */
  get last(): Done | null { return this.done[this.at - 1] ?? null; }

  get stackLength(): number { return this.state.below + this.state.stack.length; }
  get memoLength(): number { return this.state.memoBelow + this.state.memo.size; }

  /** Runs the next op. */
  step(): boolean {
    if (this.at >= this.count) return false;
    const [segment, inSegment] = this.find(this.at);
    const saved = inSegment === 0 ? this.state : null;
    if (saved) {
      const stack = [...segment.stack];
      this.state = { below: segment.below, stack, marks: [...segment.marks], memo: new Map(), memoBelow: segment.memo, contents: new Map() };
    }
    const { state } = this;
    const code = segment.codes[inSegment];
    const [name, , takes, changes] = this.file.opcodes[code];
    const pushed = segment.pushed[inSegment];
    const base = (state.marks[state.marks.length - 1] ?? 0) - state.below;
    const popsMark = takes < 0 || name === "POP" && state.marks.length > 0 && state.stack.length === base;
    const from = Math.max(0, popsMark ? base : state.stack.length - takes);
    const popped = takes === 0 ? [] : state.stack.splice(from);
    if (popsMark) state.marks.pop();
    const done: Done = { popped, changed: -1, pushed, stored: -1, tookMark: popsMark, madeMark: name === "MARK", before: undefined, isReplaced: false, isMade: false, saved };
    if (done.tookMark) done.before = base + state.below;
    if (done.madeMark) state.marks.push(state.below + state.stack.length);
    const top = state.stack[state.stack.length - 1];
    if (changes && top !== undefined) {
      done.changed = top;
      const groups = state.contents.get(top);
      if (groups) groups.push(popped);
      else state.contents.set(top, [popped]);
    }
    if (pushed >= 0) {
      if (this.makes(this.at) && !state.contents.has(pushed)) {
        done.isMade = true;
        state.contents.set(pushed, [popped]);
      }
      state.stack.push(pushed);
    }
    if (name.endsWith("PUT") || name === "MEMOIZE") {
      done.stored = name === "MEMOIZE" ? this.memoLength : Number(segment.operands[inSegment]);
      done.before = state.memo.get(done.stored);
      if (top !== undefined) state.memo.set(done.stored, top);
      done.isReplaced = this.replaced.has(this.at);
      if (done.isReplaced) state.memoBelow--;
    }
    this.done[this.at++] = done;
    return true;
  }

  /** Undoes the last op. */
  back(): boolean {
    const done = this.last;
    if (!done) return false;
    const { state } = this;
    this.at--;
    if (done.saved) {
      this.state = done.saved;
      return true;
    }
    if (done.stored >= 0) {
      if (done.before === undefined) state.memo.delete(done.stored);
      else state.memo.set(done.stored, done.before);
      if (done.isReplaced) state.memoBelow++;
    }
    if (done.pushed >= 0) {
      state.stack.pop();
      if (done.isMade) state.contents.delete(done.pushed);
    }
    if (done.changed >= 0) {
      const groups = state.contents.get(done.changed)!;
      groups.pop();
      if (groups.length === 0) state.contents.delete(done.changed);
    }
    if (done.madeMark) state.marks.pop();
    if (done.tookMark) state.marks.push(done.before!);
    state.stack.push(...done.popped);
    return true;
  }

  /** Runs or undoes until this many ops were run. */
  go(to: number): void {
    const target = Math.max(0, Math.min(this.count, to));
    while (this.at < target) this.step();
    while (this.at > target) this.back();
  }

  /** How many ops change a value after it was made. */
  changesOf(node: number): number {
    if (this.changes.size === 0) {
      const at = this.at;
      this.go(0);
      while (this.step()) {
        const { changed } = this.last!;
        if (changed >= 0) this.changes.set(changed, (this.changes.get(changed) ?? 0) + 1);
      }
      this.changes.set(-1, 0);
      this.go(at);
    }
    return this.changes.get(node) ?? 0;
  }
}
