// The frame: the file, its members, and the panes of the pickle that is chosen.

import { count, el, isTyping, svg } from "./dom";
import { GraphPane } from "./graph";
import { MachinePane } from "./machine_pane";
import { FileData, Model, PickleData, read } from "./model";
import { safety } from "./safety";
import { Tabs } from "./tabs";
import { ValuePane } from "./value";

const file = read<FileData>("file");
const app = el("div", { class: "app" });

/** What is shown of one pickle. */
class Panes {
  readonly value: ValuePane;
  readonly machine: MachinePane;
  readonly graph: GraphPane;
  private isDrawn = false;

  constructor(model: Model, private readonly tabs: Tabs) {
    this.machine = new MachinePane(model, (node) => this.toValue(node));
    this.value = new ValuePane(model, {
      toGraph: (node) => {
        this.isDrawn = true;
        this.graph.show(node);
        tabs.choose("graph");
      },
      toOp: (node) => {
        this.machine.go(this.machine.machine.maker(node) + 1);
        tabs.choose("machine");
      },
      madeBy: (node) => {
        const op = this.machine.machine.maker(node);
        return op < 0 ? null : { op: this.machine.machine.number(op) + 1, offset: this.machine.machine.offset(op) };
      },
    });
    this.graph = new GraphPane(model, (node) => this.toValue(node));
  }

  private toValue(node: number): void {
    this.tabs.choose("value");
    this.value.show(node);
  }

  /** Called when a pane becomes visible. */
  shown(pane: string): void {
    if (pane === "machine") this.machine.shown();
    if (pane !== "graph") return;
    if (!this.isDrawn) this.graph.show(this.value.selected);
    else this.graph.shown();
    this.isDrawn = true;
  }
}

const made = new Map<number, Panes>();
let chosen = -1;
const tabs = new Tabs([["value", "Value"], ["graph", "Graph"], ["machine", "Machine"], ["safety", "Safety"]], (pane) => made.get(chosen)?.shown(pane));
const links: HTMLElement[] = [];
const title = el("span", { class: "pickle" });

function choose(pickle: number): boolean {
  const [name, , size, protocol, element] = file.pickles[pickle];
  if (element === null) return false;
  let panes = made.get(pickle);
  if (!panes) {
    panes = new Panes(new Model(file, read<PickleData>(element)), tabs);
    made.set(pickle, panes);
  }
  chosen = pickle;
  tabs.fill("value", panes.value.element);
  tabs.fill("graph", panes.graph.element);
  tabs.fill("machine", panes.machine.element);
  links.forEach((link, at) => link?.setAttribute("aria-current", at === pickle ? "true" : "false"));
  title.textContent = "";
  title.append(el("span", {}, file.pickles.length > 1 ? `${name}: ` : "", `${count(size, "byte")}, protocol ${protocol}`));
  panes.shown(tabs.current);
  return true;
}

function sidebar(): HTMLElement | null {
  if (file.members.length < 2 && file.pickles.length < 2) return null;
  const list = el("ul", {});
  for (const [depth, name, format, size, , problem, pickles] of file.members) {
    const text = depth === 0 ? file.name : name || "(content)";
    const about = `${format}${size === null ? "" : `, ${count(size, "byte")}`}`;
    const row = el("li", {}, el("span", { class: "member" }, text), " ", el("span", { class: "size" }, about));
    row.style.setProperty("--level", `${depth}`);
    if (problem) row.append(el("div", { class: "note" }, problem));
    for (const pickle of pickles) {
      const [title, offset, , , element] = file.pickles[pickle];
      const label = pickles.length > 1 ? `pickle at ${offset}${title.includes(": ") ? ` (${title.split(": ").pop()})` : ""}` : "pickle";
      const link = el("button", { type: "button", class: "link", "aria-current": "false" }, pickles.length > 1 ? label : text);
      if (element === null) {
        link.disabled = true;
        link.title = "Left out of this page";
      } else link.addEventListener("click", () => choose(pickle));
      links[pickle] = link;
      if (pickles.length > 1) row.append(el("div", {}, link));
      else row.replaceChild(link, row.firstChild!);
    }
    list.append(row);
  }
  const box = el("details", { class: "members", open: true }, el("summary", {}, `Members (${file.members.length.toLocaleString("en")})`), list);
  if (matchMedia("(max-width: 760px)").matches) box.open = false;
  return el("nav", { "aria-label": "Members of the file" }, box);
}

/** The notes on what the page leaves out. */
function leftOut(): HTMLElement | null {
  if (file.left.length === 0) return null;
  const list = el("ul", {}, ...file.left.map(([what, option]) => el("li", {}, `${what}: `, el("code", {}, option), " includes more")));
  return el("details", { class: "left" }, el("summary", {}, "This page leaves some out"), list);
}

function theme(): HTMLElement {
  const root = document.documentElement;
  const toggle = el("button", { type: "button", class: "small theme", "aria-label": "Change between light and dark" }, "◐");
  toggle.addEventListener("click", () => {
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
  });
  return toggle;
}

const logo = svg("svg", { class: "logo", viewBox: "0 0 32 32", "aria-hidden": true },
  svg("rect", { x: 4, y: 10, width: 24, height: 12, rx: 6, transform: "rotate(-35 16 16)" }),
  svg("circle", { cx: 12, cy: 18, r: 1.2 }), svg("circle", { cx: 16, cy: 15, r: 1.2 }), svg("circle", { cx: 20, cy: 13, r: 1.2 }), svg("circle", { cx: 17, cy: 19, r: 1.2 }));
const verdict = el("button", { type: "button", class: `chip ${file.scan?.verdict ?? "unknown"}` }, file.scan?.verdict ?? "not scanned");
verdict.addEventListener("click", () => tabs.choose("safety"));
const about = [file.size === null ? "" : count(file.size, "byte"), file.format === "pickle" ? "" : file.format].filter((part) => part).join(", ");
const header = el("header", {}, logo, el("h1", {}, file.name), el("span", { class: "size" }, about), verdict, leftOut(), theme());
const members = sidebar();
tabs.fill("safety", safety(file, (pickle, offset) => {
  if (!choose(pickle)) return;
  const panes = made.get(pickle)!;
  tabs.choose("machine");
  if (!panes.machine.show(offset)) panes.machine.go(0);
}));
app.append(header, el("div", { class: members ? "body with-members" : "body" }, members, el("main", {}, el("div", { class: "tabsbar" }, tabs.list, title), tabs.panels)),
  el("footer", {}, `Made by picklevm ${file.version}. Nothing of the file was run; this page loads nothing.`));
document.body.append(app);
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || isTyping(event) || tabs.current !== "value") return;
  event.preventDefault();
  made.get(chosen)?.value.focusSearch();
});
const first = file.pickles.findIndex(([, , , , element]) => element !== null);
const main = file.pickles.findIndex(([name, , , , element]) => element !== null && (name.endsWith("data.pkl") || name.endsWith(": object")));
choose(main >= 0 ? main : first);
