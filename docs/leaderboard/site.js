// Tables that can be sorted, filtered and read in parts. Without this script every row is there.
"use strict";

const AT_ONCE = 100;
const FEW = 3;

/** Return what a cell is sorted by: a number or a text; empty cells come last. */
function key(cell, isNumber) {
  const text = (cell.dataset.v ?? cell.textContent).trim();
  if (!isNumber) return text.toLocaleLowerCase("en");
  const number = Number.parseFloat(text);
  return Number.isNaN(number) ? null : number;
}

/** Return the values of a cell: the items of its list, or its text. */
function values(cell) {
  const items = [...cell.querySelectorAll("li")];
  return (items.length ? items : [cell]).map((one) => one.textContent.trim()).filter(Boolean);
}

function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

class LiveTable {
  constructor(table) {
    this.table = table;
    this.body = table.tBodies[0];
    this.rows = [...this.body.rows];
    this.shown = AT_ONCE;
    this.filters = [];
    this.headings = [...table.tHead.rows[0].cells];
    this.headings.forEach((heading, column) => this.sortable(heading, column));
    this.tools();
    this.update();
  }

  sortable(heading, column) {
    if (!heading.dataset.sort) return;
    const button = make("button", { type: "button" });
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => this.sort(heading, column));
  }

  sort(heading, column) {
    const isNumber = heading.dataset.sort !== "text";
    const first = heading.dataset.sort === "down" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = heading.getAttribute("aria-sort") === first ? other : first;
    for (const one of this.headings) one.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const keys = new Map(this.rows.map((row) => [row, key(row.cells[column], isNumber)]));
    this.rows.sort((a, b) => {
      const [x, y] = [keys.get(a), keys.get(b)];
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (isNumber ? x - y : x.localeCompare(y, "en", { numeric: true }));
    });
    this.body.append(...this.rows);
    this.update();
  }

  tools() {
    const name = this.table.id;
    const bar = make("div", { class: "tools" });
    const search = make("input", { type: "search", id: `${name}-search`, autocomplete: "off" });
    bar.append(make("span", {}, make("label", { for: search.id }, "Search"), search));
    this.filters.push((row) => {
      const wanted = search.value.trim().toLocaleLowerCase("en");
      return !wanted || row.textContent.toLocaleLowerCase("en").includes(wanted);
    });
    search.addEventListener("input", () => this.filter());
    const asked = new URLSearchParams(location.hash.slice(1));
    this.headings.forEach((heading, column) => {
      if (!heading.dataset.filter) return;
      const found = new Set(this.rows.flatMap((row) => values(row.cells[column])));
      if (found.size < 2) return;
      const title = heading.textContent.trim();
      const select = make("select", { id: `${name}-filter-${column}` }, make("option", { value: "" }, "all"));
      for (const one of [...found].sort((a, b) => a.localeCompare(b, "en", { numeric: true }))) {
        select.append(make("option", { value: one }, one));
      }
      select.value = asked.get(heading.dataset.filter) ?? "";
      if (select.selectedIndex < 0) select.value = "";
      bar.append(make("span", {}, make("label", { for: select.id }, title), select));
      this.filters.push((row) => !select.value || values(row.cells[column]).includes(select.value));
      select.addEventListener("change", () => this.filter());
    });
    this.status = make("p", { role: "status", class: "status" });
    this.more = make("button", { type: "button" }, "Show more rows");
    this.more.addEventListener("click", () => {
      this.shown += 5 * AT_ONCE;
      this.update();
    });
    const frame = this.table.parentElement;
    if (this.table.dataset.live === "all" && this.rows.length > FEW) frame.before(bar, this.status);
    frame.after(this.more);
  }

  filter() {
    this.shown = AT_ONCE;
    this.update();
  }

  update() {
    const matching = this.rows.filter((row) => {
      row.hidden = !this.filters.every((holds) => holds(row));
      return !row.hidden;
    });
    matching.forEach((row, place) => row.classList.toggle("later", place >= this.shown));
    this.more.hidden = matching.length <= this.shown;
    const all = this.rows.length;
    const visible = Math.min(matching.length, this.shown);
    this.status.textContent =
      `${visible} of ${matching.length} rows` +
      (matching.length < all ? `, chosen from ${all}` : "");
  }
}

for (const table of document.querySelectorAll("table[data-live]")) new LiveTable(table);
