// Search in the values.

import { count, el } from "./dom";
import { Model } from "./model";

/** Places that are found at most. */
const MOST = 1000;

export class Search {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly status: HTMLElement;
  private found: [node: number, holder: number, position: number][] = [];
  private at = -1;
  private timer = 0;

  constructor(private readonly model: Model, private readonly jump: (node: number, holder: number, position: number) => void) {
    this.input = el("input", { type: "search", placeholder: "Search keys and values ( / )", "aria-label": "Search keys and values", spellcheck: "false" });
    this.status = el("span", { class: "status", role: "status" });
    const previous = el("button", { type: "button", class: "small", "aria-label": "Previous match" }, "↑");
    const next = el("button", { type: "button", class: "small", "aria-label": "Next match" }, "↓");
    previous.addEventListener("click", () => this.go(-1));
    next.addEventListener("click", () => this.go(1));
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.search(), 150);
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      clearTimeout(this.timer);
      if (this.found.length === 0 || this.input.dataset.searched !== this.input.value) this.search();
      else this.go(event.shiftKey ? -1 : 1);
    });
    this.element = el("div", { class: "bar", role: "search" }, this.input, previous, next, this.status);
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  private search(): void {
    const wanted = this.input.value.toLowerCase();
    this.input.dataset.searched = this.input.value;
    this.found = [];
    this.at = -1;
    if (wanted) {
      const matches = new Map<number, boolean>();
      const fits = (node: number): boolean => {
        let does = matches.get(node);
        if (does === undefined) {
          does = this.model.text(node).toLowerCase().includes(wanted);
          matches.set(node, does);
        }
        return does;
      };
      for (const root of this.model.data.roots) if (fits(root)) this.found.push([root, -1, -1]);
      for (const holder of this.model.reached) {
        if (this.found.length >= MOST) break;
        this.model.each(holder, (part, position) => {
          if (fits(part.node) || part.key >= 0 && fits(part.key)) this.found.push([part.node, holder, position]);
        });
      }
    }
    if (this.found.length > 0) this.go(1);
    else this.status.textContent = wanted ? "nothing found" : "";
  }

  private go(by: number): void {
    if (this.found.length === 0) return;
    this.at = (this.at + by + this.found.length) % this.found.length;
    const all = this.found.length >= MOST ? `${MOST}+` : `${this.found.length}`;
    this.status.textContent = `${this.at + 1} of ${count(this.found.length, "place").replace(/^\S+/, all)}`;
    this.jump(...this.found[this.at]);
  }
}
