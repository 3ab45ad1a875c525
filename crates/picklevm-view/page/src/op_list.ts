// The list of opcodes. Only rows that are seen have elements.

import { count, el } from "./dom";
import { Machine } from "./machine";
import { Model } from "./model";

/** The height of a row, as the style has it. */
const HEIGHT = 24;

export class OpList {
  readonly element: HTMLElement;
  /** Ops at which a run stops. */
  readonly stops = new Set<number>();
  private readonly inner: HTMLElement;
  /** Ops before which others are left out. */
  private readonly gaps: number[] = [];
  private readonly rows: number;
  private selected = -1;

  constructor(private readonly machine: Machine, private readonly model: Model, private readonly choose: (op: number) => void) {
    for (let op = 0; op < machine.count; op++) if (machine.gap(op) > 0) this.gaps.push(op);
    const isCut = machine.count > 0 && model.data.trace.total > machine.number(machine.count - 1) + 1;
    this.rows = machine.count + this.gaps.length + (isCut ? 1 : 0);
    this.inner = el("div", { class: "oprows", role: "listbox", "aria-label": "Opcodes", tabindex: 0 });
    this.inner.style.height = `${this.rows * HEIGHT}px`;
    this.element = el("div", { class: "oplist" }, this.inner);
    this.element.addEventListener("scroll", () => this.draw());
    this.inner.addEventListener("click", (event) => {
      const target = event.target as HTMLElement;
      const row = target.closest<HTMLElement>("[data-op]");
      if (!row) return;
      if (target.closest(".stop")) this.toggle(Number(row.dataset.op));
      else this.choose(Number(row.dataset.op));
    });
    new ResizeObserver(() => this.draw()).observe(this.element);
  }

  toggle(op: number): void {
    if (!this.stops.delete(op)) this.stops.add(op);
    this.draw();
  }

  select(op: number): void {
    this.selected = op;
    const top = this.row(op) * HEIGHT;
    const { scrollTop, clientHeight } = this.element;
    if (op >= 0 && (top < scrollTop + HEIGHT || top > scrollTop + clientHeight - 3 * HEIGHT)) this.element.scrollTop = top - clientHeight / 3;
    else if (op < 0) this.element.scrollTop = 0;
    this.draw();
  }

  /** The row of an op. */
  private row(op: number): number {
    return op + this.gaps.filter((gap) => gap <= op).length;
  }

  draw(): void {
    const { machine } = this;
    const first = Math.max(0, Math.floor(this.element.scrollTop / HEIGHT) - 5);
    const last = Math.min(this.rows, first + Math.ceil(this.element.clientHeight / HEIGHT) + 12);
    const rows: Node[] = [];
    let op = first;
    let before = 0;
    for (const gap of this.gaps) if (gap + before < first) before++;
    op = first - before;
    for (let row = first; row < last;) {
      const gap = op < machine.count ? machine.gap(op) : machine.count < this.rows && row === this.rows - 1 ? this.model.data.trace.total - machine.number(machine.count - 1) - 1 : 0;
      if (gap > 0 && this.row(op) > row || op >= machine.count) {
        rows.push(this.line(row, el("div", { class: "op gap", role: "option", "aria-selected": false, "aria-disabled": true }, `… ${count(gap, "op")} left out; --max-ops includes more`)));
        row++;
        if (op >= machine.count) break;
        continue;
      }
      rows.push(this.line(row, this.op(op)));
      row++;
      op++;
    }
    this.inner.replaceChildren(...rows);
    if (this.selected >= 0) this.inner.setAttribute("aria-activedescendant", `op-${this.selected}`);
    else this.inner.removeAttribute("aria-activedescendant");
  }

  private line(row: number, element: HTMLElement): HTMLElement {
    element.style.top = `${row * HEIGHT}px`;
    return element;
  }

  private op(op: number): HTMLElement {
    const { machine, model } = this;
    const pushed = machine.pushed(op);
    const operand = machine.operand(op);
    const argument = operand !== null ? `${operand}` : pushed >= 0 && !model.isCompound(pushed) && machine.makes(op) ? model.short(pushed, 60) : "";
    const isSelected = op === this.selected;
    const state = isSelected ? " now" : op < machine.at ? " past" : "";
    const isStop = this.stops.has(op);
    return el("div", { class: `op${state}`, role: "option", id: `op-${op}`, "aria-selected": isSelected, "data-op": op, "aria-setsize": machine.count, "aria-posinset": op + 1 },
      el("span", { class: isStop ? "stop on" : "stop", title: "Stop here (B)" }, isStop ? "●" : "○"),
      el("span", { class: "offset" }, `${machine.offset(op)}`),
      el("span", { class: "code" }, machine.name(op)),
      el("span", { class: "arg" }, argument));
  }
}
