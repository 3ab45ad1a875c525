// The pane with what the scanner says.

import { count, el, link } from "./dom";
import { FileData } from "./model";

const WORDS: Record<string, string> = {
  safe: "Everything that it does is known to be harmless.",
  suspicious: "It does something that is not known to be harmless.",
  dangerous: "Loading it in Python does harm.",
};

/** Makes the pane. `jump` goes to the opcode at an offset of a pickle of the page. */
export function safety(file: FileData, jump: (pickle: number, offset: number) => void): HTMLElement {
  const { scan } = file;
  if (!scan) return el("div", { class: "safety" }, el("p", {}, "The file was too large to be scanned with the page; picklevm scan says whether it is safe to load."));
  const place = (offset: number, pickle: number, where = ""): Node => {
    const text = `${where ? `${where} ` : ""}at ${offset.toLocaleString("en")}`;
    return pickle < 0 ? document.createTextNode(text) : link(text, () => jump(pickle, offset));
  };
  const box = el("div", { class: "safety" },
    el("p", { class: `verdict ${scan.verdict}` }, el("strong", {}, scan.verdict.toUpperCase()), " ", WORDS[scan.verdict] ?? ""),
    el("p", {}, scan.summary));
  if (scan.findings.length > 0) {
    const list = el("ol", { class: "findings" });
    for (const finding of scan.findings) {
      list.append(el("li", { class: finding.verdict },
        el("span", { class: `chip ${finding.verdict}` }, finding.verdict), " ", el("strong", {}, finding.name ?? finding.rule), " ", finding.message, " ",
        el("span", { class: "where" }, place(finding.offset, finding.pickle, finding.place)),
        el("div", { class: "note" }, `${finding.rule}: ${finding.doc}`)));
    }
    box.append(el("h2", {}, "Reasons"), list);
  }
  if (scan.imports.length > 0) {
    const rows = scan.imports.map((name) => el("tr", {},
      el("th", { scope: "row" }, name.name), el("td", {}, el("span", { class: `chip ${name.known}` }, name.known)), el("td", {}, name.how), el("td", {}, name.why), el("td", {}, place(name.offset, name.pickle))));
    const head = el("tr", {}, ...["Name", "Policy", "Use", "Harm", "First"].map((title) => el("th", { scope: "col" }, title)));
    box.append(el("h2", {}, "Names that it imports"), el("div", { class: "tablebox", tabindex: 0, role: "group", "aria-label": "Imports" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows))));
  }
  if (scan.events.length > 0) {
    const lines = scan.events.map((event) => el("div", { class: `event ${event.known}` }, el("span", { class: "where" }, place(event.offset, event.pickle)), el("code", {}, event.python)));
    box.append(el("h2", {}, "What Python would run"), el("div", { class: "events" }, ...lines));
  }
  if (scan.more > 0) box.append(el("p", { class: "note" }, `${count(scan.more, "more line")}: picklevm scan --explain prints all.`));
  return box;
}
