// Elements. Everything of the file passes through text nodes.

type Child = Node | string | null | false;
type Attributes = Record<string, string | number | boolean | ((event: Event) => void)>;

/** Characters that are not shown as they are: controls, marks of direction, what has no width, halves of pairs. */
const HIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udfff]/g;

/** Text with escapes for what would be invisible or change the order of what is around it. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Makes an element. Attributes that begin with `on` are listeners; `false` leaves one out that is no state of ARIA. */
export function el<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  return fill(document.createElement(tag), attributes, children);
}

/** Makes an element of SVG. */
export function svg<K extends keyof SVGElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): SVGElementTagNameMap[K] {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false || name.startsWith("aria-")) element.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
  }
  for (const child of children) {
    if (child) element.append(typeof child === "string" ? visible(child) : child);
  }
  return element;
}

export function button(text: string, label: string, onclick: () => void): HTMLButtonElement {
  // What is read to those who do not see the text begins with it, so that they can say it.
  const name = /[A-Za-z]/.test(text) ? `${text}: ${label}` : label;
  return el("button", { type: "button", title: label, "aria-label": name, onclick }, text);
}

/** A button that looks like a link. */
export function link(text: string, onclick: () => void): HTMLButtonElement {
  return el("button", { type: "button", class: "link", onclick }, text);
}

/** A number with a unit: `1 byte`, `1,234 bytes`. */
export function count(number: number, unit: string): string {
  return `${number.toLocaleString("en")} ${unit}${number === 1 ? "" : "s"}`;
}

/** A button that copies text, and says so. */
export function copier(what: string, text: () => string): HTMLButtonElement {
  const made = el("button", { type: "button", class: "small" }, `Copy ${what}`);
  made.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text());
      made.textContent = "Copied";
    } catch {
      made.textContent = "The browser refused";
    }
    setTimeout(() => { made.textContent = `Copy ${what}`; }, 1500);
  });
  return made;
}

/** Whether keys pressed now are text for an input. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as Element | null;
  return target instanceof HTMLInputElement && target.type !== "range" || target instanceof HTMLSelectElement;
}
