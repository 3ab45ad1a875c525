// Panes of which one is seen: tabs, as the ARIA practices have them.

import { el } from "./dom";

export class Tabs {
  readonly list: HTMLElement;
  readonly panels: HTMLElement;
  current: string;
  private readonly tabs = new Map<string, HTMLElement>();
  private readonly boxes = new Map<string, HTMLElement>();

  constructor(names: [id: string, title: string][], private readonly onshow: (id: string) => void) {
    this.list = el("div", { role: "tablist", "aria-label": "Panes" });
    this.panels = el("div", { class: "panels" });
    for (const [id, title] of names) {
      const tab = el("button", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": `pane-${id}` }, title);
      const box = el("div", { role: "tabpanel", id: `pane-${id}`, "aria-labelledby": `tab-${id}` });
      tab.addEventListener("click", () => this.choose(id));
      this.tabs.set(id, tab);
      this.boxes.set(id, box);
      this.list.append(tab);
      this.panels.append(box);
    }
    this.list.addEventListener("keydown", (event) => {
      const at = names.findIndex(([id]) => id === this.current);
      const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: names.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const [id] = names[(to + names.length) % names.length];
      this.choose(id);
      this.tabs.get(id)!.focus();
    });
    this.current = names[0][0];
    this.mark();
  }

  fill(id: string, element: HTMLElement): void { this.boxes.get(id)!.replaceChildren(element); }

  choose(id: string): void {
    this.current = id;
    this.mark();
    this.onshow(id);
  }

  private mark(): void {
    for (const [id, tab] of this.tabs) {
      const isCurrent = id === this.current;
      tab.setAttribute("aria-selected", `${isCurrent}`);
      tab.tabIndex = isCurrent ? 0 : -1;
      this.boxes.get(id)!.hidden = !isCurrent;
    }
  }
}
