// Plots without a library: bars whose values stand beside them, so that no colour is needed to read them. Each has its table.
import { element } from "/widget.js";

const SVG = "http://www.w3.org/2000/svg";
export const percent = (part, whole) => (whole > 0 ? `${Math.round((100 * part) / whole)} %` : "–");
export const number = (value) => value.toLocaleString();

function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A table that scrolls by itself where the page is narrow. */
export const table = (name, heads, rows) => element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, element("table", {},
  element("thead", {}, element("tr", {}, heads.map((head) => element("th", { scope: "col" }, head)))),
  element("tbody", {}, rows.map(([head, ...cells]) => element("tr", {}, element("th", { scope: "row" }, head), cells.map((cell) => element("td", { class: "number" }, String(cell))))))));

/** A plot with its heading, what it says in words, and the same numbers as a table. */
export function figure(id, name, says, drawn, heads, rows) {
  const caption = element("figcaption", {}, element("h2", { id: `${id}-title` }, name), element("p", { class: "soft" }, says));
  return element("figure", { class: "sheet plot", id, "aria-labelledby": `${id}-title` }, caption, drawn, element("details", {}, element("summary", {}, "As a table"), table(`${name}, as a table`, heads, rows)));
}

/** Bars that lie, each with its label above and its value at the end: `[label, value, text]`. */
export function bars(rows, most = Math.max(1, ...rows.map(([, value]) => value))) {
  return element("ul", { class: "bars" }, rows.map(([label, value, text]) => {
    const width = (100 * value) / most;
    const bar = draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" }, draw("rect", { class: "rail", width: 100, height: 10 }), draw("rect", { class: "fill", width, height: 10 }));
    return element("li", {}, element("span", {}, label), element("span", { class: "number" }, text), bar);
  }));
}

/** Columns that stand, one for each of `[label, whole, part]`: an outline for the whole, and a hatched part of it. */
export function columns(name, rows) {
  const [width, height, foot] = [Math.max(rows.length * 18, 120), 120, 16];
  const most = Math.max(1, ...rows.map(([, whole]) => whole));
  const every = Math.ceil(rows.length / Math.max(1, Math.floor(width / 44)));
  const pattern = draw("pattern", { id: "hatch", width: 4, height: 4, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" }, draw("rect", { class: "rail", width: 4, height: 4 }), draw("rect", { class: "fill", width: 2, height: 4 }));
  const drawn = draw("svg", { class: "columns-plot", viewBox: `0 0 ${width} ${height + foot + 12}`, role: "img", "aria-label": name }, draw("defs", {}, pattern));
  rows.forEach(([label, whole, part, title], place) => {
    const x = (place * width) / rows.length + 2;
    const size = width / rows.length - 4;
    const high = (value) => (value * height) / most;
    const text = (content, y) => { const node = draw("text", { x: x + size / 2, y, "text-anchor": "middle" }); node.textContent = content; return node; };
    const hover = draw("title");
    hover.textContent = title;
    drawn.append(draw("g", {}, hover, draw("rect", { class: "outline", x, y: 12 + height - high(whole), width: size, height: high(whole) }), draw("rect", { fill: "url(#hatch)", x, y: 12 + height - high(part), width: size, height: high(part) }),
      ...(whole > 0 && rows.length <= 31 ? [text(whole > 999 ? `${Math.round(whole / 1000)}k` : String(whole), 9 + height - high(whole))] : []), ...(place % every === 0 ? [text(label, height + foot + 8)] : [])));
  });
  drawn.append(draw("line", { class: "axis", x1: 0, x2: width, y1: 12 + height, y2: 12 + height }));
  return element("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": name }, drawn);
}

/** Writes cells as CSV (RFC 4180). A text that a spreadsheet would take for a formula begins with an apostrophe. */
export function csv(rows) {
  const cell = (value) => {
    const plain = String(value ?? "");
    const text = typeof value === "string" && /^[=+\-@\t\r]/.test(plain) ? `'${plain}` : plain;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");
}

/** Hands a text over as a file. */
export function download(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  element("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
