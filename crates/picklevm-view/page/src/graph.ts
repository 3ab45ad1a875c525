// The pane with the graph: boxes for values with parts, lines for references.

import { button, count, el, svg } from "./dom";
import { Box, Edge, place } from "./layout";
import { Model } from "./model";
import { color } from "./notation";
import { pathOf } from "./value";

const LINE = 18;
const WIDTH = 224;
const CHARS = 29;
/** Lines of a box, and boxes of a graph. */
const LINES = 9;
const SIZES = [40, 120, 400];

/** A line of a box: a part, or what is said of more of them. */
interface Line { label: string; text: string; of: number }

export class GraphPane {
  readonly element: HTMLElement;
  private readonly canvas: SVGSVGElement;
  private readonly view: SVGGElement;
  private readonly info = el("div", { class: "bar info" });
  private readonly status = el("span", { class: "status", role: "status" });
  private start = -1;
  private size = SIZES[1];
  private selected: SVGGElement | null = null;
  /** The part of the drawing that is seen: origin and scale. */
  private at = { x: 0, y: 0, scale: 1 };
  private bounds = { x: 0, y: 0, width: 1, height: 1 };

  constructor(private readonly model: Model, private readonly toValue: (node: number) => void) {
    this.view = svg("g");
    const arrow = (id: string): SVGMarkerElement => svg("marker", { id, viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" }, svg("path", { d: "M0,0 L8,4 L0,8 z" }));
    this.canvas = svg("svg", { class: "graph", role: "group", tabindex: 0 }, svg("defs", {}, arrow("plain"), arrow("shared"), arrow("cycle")), this.view);
    const sizes = el("select", { "aria-label": "How many values" }, ...SIZES.map((size) => el("option", { value: size, selected: size === this.size }, `${size} values`)));
    sizes.addEventListener("change", () => {
      this.size = Number(sizes.value);
      this.show(this.start);
    });
    const bar = el("div", { class: "bar" },
      button("Whole", "Start at the value of the pickle", () => this.show(model.data.roots[0])),
      sizes,
      button("+", "Larger (+)", () => this.zoom(1.25)), button("−", "Smaller (-)", () => this.zoom(0.8)), button("Fit", "Fit the window (0)", () => this.fit()),
      el("span", { class: "legend" }, el("span", { class: "key shared" }, "shared"), el("span", { class: "key cycle" }, "closes a cycle")),
      this.status);
    this.element = el("div", { class: "graphpane" }, bar, el("div", { class: "canvas" }, this.canvas), this.info);
    this.listen();
  }

  /** Draws what a value reaches. */
  show(node: number): void {
    if (node === undefined || node < 0) return;
    this.start = node;
    const { model } = this;
    const index = new Map<number, number>([[node, 0]]);
    const boxes: Box[] = [];
    const edges: Edge[] = [];
    const lines: Line[][] = [];
    const ports = new Set<Line>();
    const queue = [node];
    let left = 0;
    for (let at = 0; at < queue.length; at++) {
      const of = queue[at];
      const own: Line[] = [];
      const parts = Math.min(model.partCount(of), LINES);
      for (let position = 0; position < parts; position++) {
        const part = model.part(of, position);
        const label = model.label(of, part);
        const hasBox = model.isCompound(part.node) && model.hasParts(part.node);
        let to = index.get(part.node);
        if (hasBox && to === undefined && queue.length < this.size) {
          to = queue.length;
          index.set(part.node, to);
          queue.push(part.node);
        }
        if (hasBox && to !== undefined) {
          edges.push({ from: at, to, port: 26 + LINE * own.length + LINE / 2, isBack: false });
          own.push({ label, text: model.kind(part.node), of: -1 });
          ports.add(own[own.length - 1]);
        } else {
          if (hasBox) left++;
          own.push({ label, text: model.short(part.node, CHARS), of: part.node });
        }
        // A key with parts is a value of its own.
        if (part.key >= 0 && model.isCompound(part.key) && model.hasParts(part.key) && index.has(part.key)) edges.push({ from: at, to: index.get(part.key)!, port: 26 + LINE * (own.length - 1) + LINE / 2, isBack: false });
      }
      const more = model.length(of) - parts;
      if (more > 0) own.push({ label: "", text: `… ${more.toLocaleString("en")} more`, of: -1 });
      lines.push(own);
      boxes.push({ node: of, width: WIDTH, height: 26 + LINE * own.length + 6, layer: 0, x: 0, y: 0 });
    }
    place(boxes, edges);
    this.draw(boxes, edges, lines, ports);
    const inAll = `${count(boxes.length, "value")} with parts, ${count(edges.length, "reference")}`;
    this.status.textContent = left > 0 ? `${inAll}; ${count(left, "value")} not drawn: choose more, or start at a value` : inAll;
    this.canvas.setAttribute("aria-label", `Graph: ${inAll}. Tab goes through the values, Enter selects one.`);
    this.select(boxes[0].node, this.view.querySelector(".box"));
    this.fit();
  }

  private draw(boxes: Box[], edges: Edge[], lines: Line[][], ports: Set<Line>): void {
    const { model } = this;
    const into = new Uint32Array(boxes.length);
    for (const edge of edges) into[edge.to]++;
    const paths = edges.map(({ from, to, port, isBack }) => {
      const [a, b] = [boxes[from], boxes[to]];
      const [x1, y1, x2, y2] = [a.x + a.width, a.y + port, b.x, b.y + 13];
      const kind = isBack ? "cycle" : into[to] > 1 ? "shared" : "plain";
      const bend = Math.max(36, Math.min(120, Math.abs(x2 - x1) / 2));
      const under = Math.max(a.y + a.height, b.y + b.height) + 16;
      const path = isBack
        ? `M${x1},${y1} C${x1 + 50},${y1} ${x1 + 50},${under} ${x1 - 10},${under} L${x2 + 10},${under} C${x2 - 50},${under} ${x2 - 50},${y2} ${x2},${y2}`
        : `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`;
      return svg("path", { class: `edge ${kind}`, d: path, "marker-end": `url(#${kind})` });
    });
    const drawn = boxes.map((box, at) => {
      const { node } = box;
      const isShared = into[at] > 1;
      const kind = model.kind(node);
      const name = kind === "object" ? /^[^({\s]*/.exec(model.text(node))![0] || kind : kind;
      const group = svg("g", { class: `box ${isShared ? "shared" : ""} ${at === 0 ? "start" : ""}`, role: "button", tabindex: 0, transform: `translate(${box.x},${box.y})`, "data-node": node },
        svg("rect", { class: "frame", width: box.width, height: box.height, rx: 6 }),
        svg("path", { class: "head", d: `M0,22 V6 a6,6 0 0 1 6,-6 H${box.width - 6} a6,6 0 0 1 6,6 V22 z` }),
        svg("text", { class: "title", x: 8, y: 15 }, name.length > 24 ? `…${name.slice(-23)}` : name),
        svg("text", { class: "refs", x: box.width - 8, y: 15, "text-anchor": "end" }, isShared ? `⇄ ${into[at]}` : kind === "object" ? "" : `${model.length(node).toLocaleString("en")}`));
      lines[at].forEach((line, row) => {
        const { label, text, of } = line;
        const y = 26 + LINE * row + 13;
        const shortLabel = label.length > 14 ? `${label.slice(0, 13)}…` : label;
        const room = CHARS - shortLabel.length - 1;
        group.append(svg("text", { x: 8, y }, svg("tspan", { class: "fieldname" }, shortLabel), " ", svg("tspan", { class: of < 0 ? "dim" : color(model, of) }, text.length > room ? `${text.slice(0, Math.max(0, room - 1))}…` : text)));
        if (ports.has(line)) group.append(svg("circle", { class: "port", cx: box.width, cy: y - 4, r: 3 }));
      });
      return group;
    });
    this.view.replaceChildren(...paths, ...drawn);
    const left = Math.min(...boxes.map((box) => box.x)) - 60;
    const top = Math.min(...boxes.map((box) => box.y)) - 24;
    const right = Math.max(...boxes.map((box) => box.x + box.width)) + 60;
    const bottom = Math.max(...boxes.map((box) => box.y + box.height)) + 40;
    this.bounds = { x: left, y: top, width: right - left, height: bottom - top };
  }

  private select(node: number, group: SVGGElement | null): void {
    this.selected?.classList.remove("selected");
    this.selected = group;
    group?.classList.add("selected");
    const path = pathOf(this.model, node);
    const value = el("button", { type: "button", class: "small" }, "Show in values");
    value.addEventListener("click", () => this.toValue(node));
    const from = el("button", { type: "button", class: "small" }, "Start here");
    from.addEventListener("click", () => this.show(node));
    this.info.replaceChildren(el("code", {}, path || "the value itself"), el("span", { class: "notation" }, this.model.short(node, 80)), value, from);
  }

  /** Called when the pane becomes visible. */
  shown(): void { this.fit(); }

  fit(): void {
    const { clientWidth: width, clientHeight: height } = this.canvas.parentElement!;
    if (width === 0) return;
    const scale = Math.max(0.05, Math.min(1.1, width / this.bounds.width, height / this.bounds.height));
    // What does not fit at a size that can be read begins at its start.
    const readable = Math.max(scale, 0.55);
    const isWhole = readable === scale;
    this.at = {
      scale: readable,
      x: isWhole ? (width - this.bounds.width * readable) / 2 - this.bounds.x * readable : 8 - this.bounds.x * readable,
      y: isWhole || this.bounds.height * readable < height ? (height - this.bounds.height * readable) / 2 - this.bounds.y * readable : height / 3,
    };
    this.move();
  }

  private move(): void {
    const { x, y, scale } = this.at;
    this.view.setAttribute("transform", `translate(${x},${y}) scale(${scale})`);
  }

  private zoom(by: number, x = this.canvas.clientWidth / 2, y = this.canvas.clientHeight / 2): void {
    const scale = Math.max(0.03, Math.min(4, this.at.scale * by));
    const factor = scale / this.at.scale;
    this.at = { scale, x: x - (x - this.at.x) * factor, y: y - (y - this.at.y) * factor };
    this.move();
  }

  private pan(x: number, y: number): void {
    this.at.x += x;
    this.at.y += y;
    this.move();
  }

  private listen(): void {
    const { canvas } = this;
    let from: { x: number; y: number; moved: boolean } | null = null;
    canvas.addEventListener("pointerdown", (event) => { from = { x: event.clientX, y: event.clientY, moved: false }; });
    canvas.addEventListener("pointermove", (event) => {
      if (!from || event.buttons === 0) return;
      if (!from.moved && Math.hypot(event.clientX - from.x, event.clientY - from.y) < 4) return;
      if (!from.moved) canvas.setPointerCapture(event.pointerId);
      this.pan(event.clientX - from.x, event.clientY - from.y);
      from = { x: event.clientX, y: event.clientY, moved: true };
    });
    canvas.addEventListener("click", (event) => {
      const group = (event.target as Element).closest<SVGGElement>("[data-node]");
      if (group && !from?.moved) this.select(Number(group.dataset.node), group);
      from = null;
    });
    canvas.addEventListener("dblclick", (event) => {
      const group = (event.target as Element).closest<SVGGElement>("[data-node]");
      if (group) this.toValue(Number(group.dataset.node));
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const { left, top } = canvas.getBoundingClientRect();
      this.zoom(Math.exp(-event.deltaY / 400), event.clientX - left, event.clientY - top);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => {
      const group = (event.target as Element).closest<SVGGElement>("[data-node]");
      const moves: Record<string, () => void> = {
        "+": () => this.zoom(1.25), "=": () => this.zoom(1.25), "-": () => this.zoom(0.8), "0": () => this.fit(),
        ArrowLeft: () => this.pan(60, 0), ArrowRight: () => this.pan(-60, 0), ArrowUp: () => this.pan(0, 60), ArrowDown: () => this.pan(0, -60),
        ...(group ? { Enter: () => this.select(Number(group.dataset.node), group), " ": () => this.select(Number(group.dataset.node), group) } : {}),
      };
      if (!moves[event.key] || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      moves[event.key]();
    });
    canvas.addEventListener("focusin", (event) => {
      const group = (event.target as Element).closest<SVGGElement>("[data-node]");
      if (!group || !group.matches(":focus-visible")) return;
      const box = group.getBoundingClientRect();
      const frame = canvas.getBoundingClientRect();
      if (box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom) {
        this.pan(frame.left + frame.width / 2 - (box.left + box.width / 2), frame.top + frame.height / 2 - (box.top + box.height / 2));
      }
    });
  }
}
