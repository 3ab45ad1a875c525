// The pane with the values: a tree that opens where it is asked to, and what is known of the value that is selected.

import { count, el, link } from "./dom";
import { details } from "./details";
import { Model, Part, Role } from "./model";
import { pieces } from "./notation";
import { Search } from "./search";

/** Rows that are added at once. */
const CHUNK = 200;

export interface Links {
  toGraph(node: number): void;
  toOp(node: number): void;
  madeBy(node: number): { op: number; offset: number } | null;
}

/** A value in one of its places. */
interface Item {
  node: number;
  /** The value that holds it, and where; the position of a root is its number. */
  holder: Item | null;
  position: number;
  level: number;
  isOpen: boolean;
  /** Parts that have rows. */
  shown: Item[];
  element: HTMLElement;
}

export class ValuePane {
  readonly element: HTMLElement;
  private readonly tree: HTMLElement;
  private readonly side: HTMLElement;
  private readonly roots: Item[];
  private readonly items = new WeakMap<Element, Item>();
  private readonly search: Search;
  private current: Item | null = null;

  constructor(private readonly model: Model, private readonly links: Links) {
    this.tree = el("div", { role: "tree", "aria-label": "Values", class: "tree" });
    this.side = el("section", { class: "details", "aria-label": "The selected value" });
    this.search = new Search(model, (node, holder, position) => this.show(node, holder, position, false));
    this.element = el("div", { class: "split" }, el("div", { class: "main" }, this.search.element, this.tree), this.side);
    this.roots = model.data.roots.map((node, position) => this.item(node, null, position, 0));
    this.roots.forEach((root, at) => {
      this.tree.append(root.element);
      root.element.setAttribute("aria-setsize", `${this.roots.length}`);
      root.element.setAttribute("aria-posinset", `${at + 1}`);
    });
    if (this.roots.length === 0) this.side.append(el("p", {}, "There is no value: the pickle broke before it made one."));
    this.tree.addEventListener("click", (event) => this.click(event));
    this.tree.addEventListener("keydown", (event) => this.key(event));
    const first = this.roots[0];
    if (first) {
      if (!model.preview(first.node)) this.open(first);
      const only = first.shown.length <= 12 ? first.shown : first.shown.slice(0, 1);
      for (const child of only) if (this.model.partCount(child.node) <= 12 && this.model.kind(child.node) !== "object") this.open(child);
      this.select(first, false);
    }
  }

  /** The node that is selected. */
  get selected(): number { return this.current?.node ?? this.model.data.roots[0] ?? -1; }

  focusSearch(): void { this.search.focus(); }

  /** Opens the way to a node, by its shortest path or in a place of it, and selects it. */
  show(node: number, holder = -1, position = -1, focus = true): void {
    if (!this.model.isReached(node)) return;
    const way = this.model.way(holder < 0 ? node : holder);
    let item = this.roots[way.root];
    for (const at of holder < 0 ? way.positions : [...way.positions, position]) {
      this.open(item);
      while (item.shown.length <= at && this.more(item)) { /* Adds rows up to it. */ }
      item = item.shown[at] ?? item;
    }
    this.select(item, focus);
    item.element.scrollIntoView({ block: "center" });
  }

  private item(node: number, holder: Item | null, position: number, level: number): Item {
    const { model } = this;
    const part = holder ? model.part(holder.node, position) : null;
    const isCycle = this.isInside(node, holder);
    const canOpen = model.hasParts(node) && !isCycle;
    const element = el("div", {
      role: "treeitem", class: "row", tabindex: -1, "aria-level": level + 1, "aria-selected": false,
      ...(canOpen ? { "aria-expanded": false } : {}),
    });
    element.style.setProperty("--level", `${Math.min(level, 40)}`);
    if (level > 40) element.append(el("span", { class: "deep" }, `${level} `));
    element.append(el("span", { class: "twist", "aria-hidden": true }, canOpen ? "▸" : ""));
    const label = part ? model.label(holder!.node, part) : this.rootLabel(position);
    if (label) element.append(el("span", { class: part && part.role === Role.Plain && part.key < 0 ? "index" : "label" }, label), " ");
    if (isCycle) element.append(el("span", { class: "badge cycle", "data-jump": true, title: "Contains this value: Enter goes there" }, "↻ cycle"), " ");
    else if (model.isShared(node)) {
      element.append(el("span", { class: "badge shared", "data-jump": true, title: "One object in several places: Enter goes to the first" }, `⇄ ${model.refs[node]} places`), " ");
    }
    element.append(...pieces(model, node, isCycle ? 40 : 110));
    const item: Item = { node, holder, position, level, isOpen: false, shown: [], element };
    this.items.set(element, item);
    return item;
  }

  private rootLabel(position: number): string {
    if (this.model.data.trace.error) return `stack ${position}`;
    return position > 0 ? "called for its effect" : "";
  }

  /** Whether a value is inside of itself in this place. */
  private isInside(node: number, holder: Item | null): boolean {
    if (!this.model.isCompound(node)) return false;
    for (let at = holder; at; at = at.holder) if (at.node === node) return true;
    return false;
  }

  private canOpen(item: Item): boolean { return item.element.hasAttribute("aria-expanded"); }

  private open(item: Item): void {
    if (item.isOpen || !this.canOpen(item)) return;
    item.isOpen = true;
    item.element.setAttribute("aria-expanded", "true");
    this.more(item);
  }

  private close(item: Item): void {
    if (!item.isOpen) return;
    if (this.current && this.current !== item && this.isBelow(this.current, item)) this.select(item, true);
    item.isOpen = false;
    item.element.setAttribute("aria-expanded", "false");
    item.shown = [];
    for (let next = item.element.nextElementSibling; next && this.level(next) > item.level; next = item.element.nextElementSibling) next.remove();
  }

  private level(element: Element): number { return Number(element.getAttribute("aria-level") ?? 1) - 1; }

  private isBelow(item: Item, other: Item): boolean {
    for (let at: Item | null = item; at; at = at.holder) if (at === other) return true;
    return false;
  }

  /** Adds rows of the next parts of a value. Returns whether there were some. */
  private more(item: Item): boolean {
    const total = this.model.partCount(item.node);
    const from = item.shown.length;
    let last: Element = item.element;
    for (let next = last.nextElementSibling; next && this.level(next) > item.level; next = next.nextElementSibling) last = next;
    if (last.classList.contains("more") && this.level(last) === item.level + 1) {
      const before = last.previousElementSibling!;
      last.remove();
      last = before;
    }
    const rows: Element[] = [];
    for (let position = from; position < Math.min(total, from + CHUNK); position++) {
      const part: Part = this.model.part(item.node, position);
      const child = this.item(part.node, item, position, item.level + 1);
      child.element.setAttribute("aria-setsize", `${total}`);
      child.element.setAttribute("aria-posinset", `${position + 1}`);
      item.shown.push(child);
      rows.push(child.element);
      if (this.current && child.node === this.current.node && this.model.isShared(child.node)) child.element.classList.add("same");
    }
    const left = total - item.shown.length;
    const out = this.model.length(item.node) - total;
    if (left > 0 || out > 0) {
      const text = left > 0 ? `Show ${Math.min(left, CHUNK)} more of ${count(left, "part")}` : `${count(out, "more part")} left out of this page`;
      const row = el("div", { role: "treeitem", class: "row more", tabindex: -1, "aria-level": item.level + 2, "aria-selected": false }, text);
      row.style.setProperty("--level", `${Math.min(item.level + 1, 40)}`);
      if (left > 0) row.dataset.more = "yes";
      this.items.set(row, item);
      rows.push(row);
    }
    last.after(...rows);
    return item.shown.length > from;
  }

  private select(item: Item, focus: boolean): void {
    this.current?.element.setAttribute("aria-selected", "false");
    if (this.current) this.current.element.tabIndex = -1;
    const isOther = this.current?.node !== item.node;
    this.current = item;
    item.element.setAttribute("aria-selected", "true");
    item.element.tabIndex = 0;
    if (focus) item.element.focus({ preventScroll: false });
    if (isOther) {
      for (const same of this.tree.querySelectorAll(".same")) same.classList.remove("same");
      if (this.model.isShared(item.node)) {
        for (const row of this.tree.children) {
          if (!row.classList.contains("more") && this.items.get(row)?.node === item.node) row.classList.add("same");
        }
      }
    }
    this.side.replaceChildren(...details(this.model, item.node, this.path(item), this.links, (node, holder, position) => this.show(node, holder, position)));
  }

  private path(item: Item): string {
    const steps: string[] = [];
    for (let at = item; at.holder; at = at.holder) steps.push(this.model.step(at.holder.node, this.model.part(at.holder.node, at.position)));
    return steps.reverse().join("");
  }

  private click(event: Event): void {
    const target = event.target as Element;
    const row = target.closest(".row");
    const item = row && this.items.get(row);
    if (!item) return;
    if (row.classList.contains("more")) {
      if ((row as HTMLElement).dataset.more) this.more(item);
      return;
    }
    if (target.closest("[data-jump]")) return this.show(item.node);
    this.select(item, true);
    if (target.closest(".twist") || (event as MouseEvent).detail === 2) this.toggle(item);
  }

  private toggle(item: Item): void {
    if (item.isOpen) this.close(item);
    else this.open(item);
  }

  private key(event: KeyboardEvent): void {
    const row = (event.target as Element).closest(".row") as HTMLElement | null;
    const item = row && this.items.get(row);
    if (!row || !item || event.ctrlKey || event.altKey || event.metaKey) return;
    const isMore = row.classList.contains("more");
    const move = (to: Element | null | undefined): void => {
      const next = to && this.items.get(to);
      if (!next) return;
      if (to.classList.contains("more")) (to as HTMLElement).focus();
      else this.select(next, true);
    };
    switch (event.key) {
      case "ArrowDown": move(row.nextElementSibling); break;
      case "ArrowUp": move(row.previousElementSibling); break;
      case "Home": move(this.tree.firstElementChild); break;
      case "End": move(this.tree.lastElementChild); break;
      case "ArrowRight":
        if (isMore) break;
        if (item.isOpen) move(item.shown[0]?.element);
        else this.open(item);
        break;
      case "ArrowLeft":
        if (isMore) move(item.element);
        else if (item.isOpen) this.close(item);
        else move(item.holder?.element);
        break;
      case "Enter": case " ":
        if (isMore) {
          const before = row.previousElementSibling;
          if (row.dataset.more && this.more(item)) move(before?.nextElementSibling);
        } else if (row.querySelector("[data-jump]") && event.key === "Enter") this.show(item.node);
        else this.toggle(item);
        break;
      default: return;
    }
    event.preventDefault();
  }
}

/** Links to the places that hold a value. */
export function places(model: Model, node: number, jump: (node: number, holder: number, position: number) => void): HTMLElement {
  const list = el("ul", { class: "places" });
  const holders = model.holders(node);
  for (const [holder, position] of holders.slice(0, 50)) {
    const part = model.part(holder, position);
    const path = pathOf(model, holder) + model.step(holder, part);
    const isKey = part.key === node && part.node !== node;
    list.append(el("li", {}, isKey ? "a key of " : null, link(isKey ? pathOf(model, holder) || "the value" : path || "the value", () => {
      if (isKey) jump(holder, -1, -1);
      else jump(node, holder, position);
    })));
  }
  if (holders.length > 50) list.append(el("li", {}, `and ${count(holders.length - 50, "more place")}`));
  return list;
}

/** The shortest path to a value. */
export function pathOf(model: Model, node: number): string {
  const { root, positions } = model.way(node);
  let at = model.data.roots[root];
  let path = "";
  for (const position of positions) {
    const part = model.part(at, position);
    path += model.step(at, part);
    at = part.node;
  }
  return path;
}
