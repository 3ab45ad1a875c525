// The pane with the machine: opcodes, stack, memo and bytes, and what steps through them.

import { button, count, el, isTyping } from "./dom";
import { hexRows } from "./hex";
import { Machine } from "./machine";
import { decode, Model } from "./model";
import { color } from "./notation";
import { OpList } from "./op_list";

/** Values of the stack and the memo that are shown. */
const SHOWN = 200;
/** Bytes around the op that are shown. */
const AROUND = 96;

export class MachinePane {
  readonly element: HTMLElement;
  readonly machine: Machine;
  private readonly list: OpList;
  private readonly slider: HTMLInputElement;
  private readonly stops: HTMLInputElement;
  private readonly status = el("output", { class: "status", "aria-live": "polite" });
  private readonly did = el("div", { class: "did" });
  private readonly stack = el("div", { class: "cells" });
  private readonly memo = el("div", { class: "cells" });
  private readonly bytes = el("div", {});
  private readonly chunks: [number, Uint8Array][];
  private readonly stackTitle = el("h2", {}, "Stack");
  private readonly memoTitle = el("h2", {}, "Memo");

  constructor(private readonly model: Model, private readonly toValue: (node: number) => void) {
    this.machine = new Machine(model.file, model.data);
    const { machine } = this;
    this.chunks = model.data.bytes.map(([offset, base64]) => [offset, decode(base64)]);
    this.slider = el("input", { type: "range", min: 0, max: machine.count, value: 0, "aria-label": "Opcodes that were run" });
    this.slider.addEventListener("input", () => this.go(Number(this.slider.value)));
    const names = new Set<string>();
    for (let op = 0; op < machine.count; op++) {
      names.add(machine.name(op));
      const global = this.global(op);
      if (global && names.size < 500) names.add(global);
    }
    const options = el("datalist", { id: "stops" }, ...[...names].sort().map((name) => el("option", { value: name })));
    this.stops = el("input", { type: "search", list: "stops", placeholder: "REDUCE, os.system", "aria-label": "Stop at these opcodes or globals", spellcheck: "false" });
    this.stops.addEventListener("keydown", (event) => { if (event.key === "Enter") this.run(event.shiftKey ? -1 : 1); });
    this.list = new OpList(machine, model, (op) => this.go(op + 1));
    const bar = el("div", { class: "bar" },
      button("⏮", "To the start (Home)", () => this.go(0)),
      button("◀", "One op back (Left)", () => this.go(machine.at - 1)),
      button("▶", "One op forward (Right)", () => this.go(machine.at + 1)),
      button("⏭", "To the end (End)", () => this.go(machine.count)),
      this.slider,
      el("span", { class: "group" }, el("span", {}, "Stop at"), this.stops, options,
        button("⏪", "Back to the stop before (Shift+C)", () => this.run(-1)),
        button("⏩", "Run to the next stop (C)", () => this.run(1))),
      this.status);
    this.element = el("div", { class: "machine" }, bar,
      el("div", { class: "grid" },
        el("section", { class: "ops", "aria-label": "Opcodes" }, this.list.element),
        el("section", { class: "state", "aria-label": "State" }, this.did, el("div", { class: "stores" }, el("div", {}, this.stackTitle, this.stack), el("div", {}, this.memoTitle, this.memo))),
        el("section", { class: "hexside", "aria-label": "Bytes" }, el("h2", {}, "Bytes"), this.bytes)));
    this.bytes.addEventListener("click", (event) => {
      const offset = (event.target as HTMLElement).dataset.offset;
      const op = offset === undefined ? -1 : machine.opAt(Number(offset));
      if (op >= 0) this.go(op + 1);
    });
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.draw();
  }

  /** Goes to the op at an offset. Returns whether the page has it. */
  show(offset: number): boolean {
    const op = this.machine.opAt(offset);
    if (op >= 0) this.go(op + 1);
    return op >= 0;
  }

  go(to: number): void {
    this.machine.go(to);
    this.draw();
  }

  /** Called when the pane becomes visible. */
  shown(): void { this.list.draw(); }

  private key(event: KeyboardEvent): void {
    if (isTyping(event) || event.ctrlKey || event.altKey || event.metaKey) return;
    const { machine } = this;
    switch (event.key) {
      case "ArrowRight": case "ArrowDown": this.go(machine.at + 1); break;
      case "ArrowLeft": case "ArrowUp": this.go(machine.at - 1); break;
      case "PageDown": this.go(machine.at + 20); break;
      case "PageUp": this.go(machine.at - 20); break;
      case "Home": this.go(0); break;
      case "End": this.go(machine.count); break;
      case "c": this.run(1); break;
      case "C": this.run(-1); break;
      case "b": if (machine.at > 0) this.list.toggle(machine.at - 1); break;
      default: return;
    }
    event.preventDefault();
  }

  /** The global that an op pushes. */
  private global(op: number): string | null {
    const pushed = this.machine.pushed(op);
    return pushed >= 0 && this.model.kind(pushed) === "global" ? this.model.text(pushed) : null;
  }

  /** Runs to the next op that stops, or back to the one before. */
  private run(by: number): void {
    const wanted = this.stops.value.toLowerCase().split(/[\s,]+/).filter((word) => word);
    const { machine } = this;
    let op = machine.at - 1 + by;
    for (; op >= 0 && op < machine.count; op += by) {
      const name = machine.name(op).toLowerCase();
      const global = this.global(op)?.toLowerCase() ?? "";
      if (this.list.stops.has(op) || wanted.some((word) => word === name || global.includes(word))) break;
    }
    this.go(op + 1);
  }

  private draw(): void {
    const { machine, model } = this;
    const { state } = machine;
    const op = machine.at - 1;
    this.slider.value = `${machine.at}`;
    const { total } = model.data.trace;
    const where = op < 0 ? "before the first op" : `op ${(machine.number(op) + 1).toLocaleString("en")} of ${total.toLocaleString("en")}, ${machine.name(op)} at offset ${machine.offset(op).toLocaleString("en")}`;
    this.slider.setAttribute("aria-valuetext", where);
    this.status.textContent = where;
    Object.assign(this.element.dataset, { at: machine.at, stack: machine.stackLength, marks: state.marks.join(" "), memo: machine.memoLength });
    this.list.select(op);
    this.drawDid(op);
    this.drawStack();
    this.drawMemo();
    this.drawBytes(op);
  }

  private value(node: number): Node {
    const open = el("button", { type: "button", class: `cell ${color(this.model, node)}`, title: "Show this value" }, this.now(node));
    if (!this.model.isReached(node)) {
      open.disabled = true;
      open.title = "This value is no part of the result";
    }
    open.addEventListener("click", () => this.toValue(node));
    return open;
  }

  /** A value as it is now: containers have what was put into them so far. */
  private now(node: number, most = 90): string {
    const { model, machine } = this;
    const groups = machine.state.contents.get(node);
    const kind = model.kind(node);
    const brackets = { list: "[]", tuple: "()", dict: "{}", set: "{}", frozenset: "{}" }[kind];
    if (kind === "object") {
      const isReady = !groups || groups.length - 1 >= machine.changesOf(node);
      return isReady ? model.short(node, most) : `${model.text(node).split(" with ")[0]} …`.slice(0, most);
    }
    if (!groups || !brackets) return model.short(node, most);
    let text = brackets[0];
    let isKey = true;
    let isFirst = true;
    for (const group of groups) {
      for (const item of group) {
        if (text.length > most) return `${text.slice(0, most)}…`;
        text += isFirst ? "" : kind === "dict" && !isKey ? ": " : ", ";
        const inner = model.isCompound(item) ? 30 : 60;
        text += model.isCompound(item) && most > 30 ? this.now(item, inner) : model.short(item, inner);
        isKey = !isKey;
        isFirst = false;
      }
    }
    const end = kind === "tuple" && groups.length === 1 && groups[0].length === 1 ? "," : "";
    return `${text}${end}${brackets[1]}`;
  }

  private drawDid(op: number): void {
    const { machine } = this;
    const { error } = this.model.data.trace;
    this.did.replaceChildren();
    const done = machine.last;
    if (op < 0 || !done) {
      const text = machine.count === 0 ? "There are no opcodes to show." : "Nothing has run. Step forward with →, or choose an opcode.";
      this.did.append(el("p", {}, text));
    } else {
      this.did.append(el("h2", { class: "opname" }, machine.name(op)), el("p", {}, machine.doc(op).replace(/  /g, " ")));
      const list = el("dl", { class: "facts" });
      const fact = (name: string, nodes: (Node | string)[]): void => list.append(el("dt", {}, name), el("dd", {}, ...nodes));
      const some = done.popped.slice(0, 8).flatMap((node) => [this.value(node), " "]);
      if (done.popped.length > 8) some.push(`and ${done.popped.length - 8} more`);
      if (done.tookMark) some.push(el("span", { class: "mark" }, "MARK"));
      if (some.length > 0) fact("took", some);
      if (done.madeMark) fact("pushed", [el("span", { class: "mark" }, "MARK")]);
      if (done.changed >= 0) fact("changed", [this.value(done.changed)]);
      if (done.pushed >= 0) fact(machine.makes(op) ? "pushed" : "fetched", [this.value(done.pushed)]);
      if (done.stored >= 0) fact("stored", [`at ${done.stored} of the memo`]);
      const operand = machine.operand(op);
      if (operand !== null) fact("operand", [el("code", {}, `${operand}`)]);
      this.did.append(list);
    }
    if (error && machine.at === machine.count) this.did.append(el("p", { class: "error" }, `The pickle breaks here: ${error[1]}`));
  }

  private drawStack(): void {
    const { state } = this.machine;
    this.stackTitle.textContent = `Stack: ${count(this.machine.stackLength, "value")}, ${count(state.marks.length, "mark")}`;
    const rows: Node[] = [];
    let mark = state.marks.length - 1;
    const total = state.below + state.stack.length;
    for (let at = total; at >= state.below && rows.length < SHOWN; at--) {
      while (mark >= 0 && state.marks[mark] === at) {
        rows.push(el("div", { class: "mark" }, mark === state.marks.length - 1 ? "MARK" : "MARK (metastack)"));
        mark--;
      }
      if (at > state.below) {
        const isMeta = at <= (state.marks[state.marks.length - 1] ?? 0);
        rows.push(el("div", { class: isMeta ? "entry meta" : "entry" }, el("span", { class: "at" }, `${at - 1}`), this.value(state.stack[at - 1 - state.below])));
      }
    }
    if (rows.length === 0) rows.push(el("p", { class: "note" }, "empty"));
    if (total > SHOWN) rows.push(el("p", { class: "note" }, `${count(total - SHOWN, "value")} more below`));
    this.stack.replaceChildren(...rows);
  }

  private drawMemo(): void {
    const { memo, memoBelow } = this.machine.state;
    const stored = this.machine.last?.stored ?? -1;
    this.memoTitle.textContent = memo.size + memoBelow === 1 ? "Memo: 1 entry" : `Memo: ${(memo.size + memoBelow).toLocaleString("en")} entries`;
    const entries = [...memo].slice(-SHOWN).reverse();
    const rows: Node[] = entries.map(([index, node]) =>
      el("div", { class: index === stored ? "entry new" : "entry" }, el("span", { class: "at" }, `${index}`), this.value(node)));
    const left = memo.size + memoBelow - entries.length;
    if (left > 0) rows.push(el("p", { class: "note" }, `${left.toLocaleString("en")} earlier ones`));
    if (rows.length === 0) rows.push(el("p", { class: "note" }, "empty"));
    this.memo.replaceChildren(...rows);
  }

  private drawBytes(op: number): void {
    const { machine } = this;
    const start = machine.count === 0 ? 0 : machine.offset(Math.max(0, op));
    const end = op < 0 ? start : start + machine.length(op);
    const chunk = this.chunks.find(([offset, bytes]) => offset <= start && start < offset + bytes.length);
    if (!chunk) return this.bytes.replaceChildren(el("p", { class: "note" }, "none"));
    const [offset, bytes] = chunk;
    const row = Math.max(0, start - (start % 16) - AROUND / 2 - offset);
    const part = bytes.subarray(row, Math.min(bytes.length, Math.max(row + 2 * AROUND, end - offset + 16, 0), row + 8 * AROUND));
    const mark = (at: number): string => (at === start && op >= 0 ? "byte first" : at > start && at < end ? "byte rest" : "byte");
    this.bytes.replaceChildren(hexRows(part, offset + row, "Bytes around the op", mark));
    if (end > offset + bytes.length) this.bytes.append(el("p", { class: "note" }, `The op has ${count(end - start, "byte")}; the page has the first.`));
  }
}
