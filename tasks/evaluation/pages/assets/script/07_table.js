// The table: one page of the rows that pass, so that its size does not depend on theirs. Numbers and verdicts come from the
// index and are there at once; the questions' beginnings follow when their block is unpacked.

const PREVIEW_CHARACTERS = 240;

class QuestionTable {
  /**
   * @param index the columns
   * @param onOpen called with the row that is opened or closed, and with whether it is open
   */
  constructor(index, onOpen) {
    this.index = index;
    this.onOpen = onOpen;
    this.body = find("rows");
    this.rows = new Uint32Array(0);
    this.page = 0;
    this.size = Number(find("page-size").value);
    this.openRow = -1;
    this.drawn = 0; // counts drawings: a text that arrives for an earlier one is dropped
  }

  get pageCount() {
    return Math.max(1, Math.ceil(this.rows.length / this.size));
  }

  /** Show these rows, from the page that holds the open row if it is among them, else from the first. */
  show(rows) {
    this.rows = rows;
    const at = this.openRow < 0 ? -1 : rows.indexOf(this.openRow);
    if (at < 0) this.openRow = -1;
    this.page = at < 0 ? 0 : Math.floor(at / this.size);
    this.draw();
  }

  turnTo(page) {
    this.page = Math.min(Math.max(page, 0), this.pageCount - 1);
    this.openRow = -1;
    this.draw();
  }

  draw() {
    this.drawn++;
    const start = this.page * this.size;
    const shown = [...this.rows.subarray(start, start + this.size)];
    this.body.replaceChildren(...shown.map((row) => this.makeRow(row)));
    if (shown.includes(this.openRow)) this.addDetails(this.openRow);
    if (!shown.length) this.body.append(makeEmpty());
    this.showPager(start, shown.length);
    if (DATA.has_texts) this.fillPreviews(shown, this.drawn);
  }

  makeRow(row) {
    const { index } = this;
    const number = formatCount(index.number[row]);
    const group = index.group[row] === NO_GROUP ? "" : DATA.groups[index.group[row]];
    const right = DATA.labels[index.right[row]] ?? "";
    const home = VIEW.runs.indexOf(index.home[row]);
    const button = make("button", { type: "button", class: "open", "aria-expanded": "false", "aria-label": `Question ${number}` },
      number, home > 0 ? makeSign(home) : null);
    const cells = [
      make("td", { role: "cell", class: "number" }, button),
      DATA.groups.length ? make("td", { role: "cell", class: "group" }, make("bdi", {}, group)) : null,
      make("td", { role: "cell", class: "question" }, make("div", { class: "preview", dir: "auto" })),
      make("td", { role: "cell", class: "right" }, make("bdi", {}, right)),
      ...DATA.runs.map((_, run) => make("td", { role: "cell", class: "run" }, makeSign(run), makeVerdict(index, row, run))),
    ];
    return make("tr", { role: "row", "data-row": row }, cells);
  }

  async fillPreviews(shown, drawing) {
    for (const row of shown) {
      const question = await readQuestion(row);
      if (drawing !== this.drawn) return;
      const line = this.findLine(row);
      line.querySelector(".preview").textContent = question.stem.slice(0, PREVIEW_CHARACTERS) || "(no text)";
      const right = line.querySelector(".right bdi");
      right.textContent ||= (question.right || question.reference).slice(0, PREVIEW_CHARACTERS);
    }
  }

  showPager(start, count) {
    const total = formatCount(this.rows.length);
    find("range").textContent = count ? `${formatCount(start + 1)}–${formatCount(start + count)} of ${total}` : "0 of 0";
    for (const id of ["first-page", "previous-page"]) find(id).disabled = this.page === 0;
    for (const id of ["next-page", "last-page"]) find(id).disabled = this.page === this.pageCount - 1;
  }

  findLine(row) {
    return this.body.querySelector(`tr[data-row="${row}"]`);
  }

  /** Open the row, on its page; close the one that was open. */
  open(row) {
    const at = this.rows.indexOf(row);
    if (at < 0) return;
    const page = Math.floor(at / this.size);
    if (page === this.page) this.close();
    else this.turnTo(page);
    this.openRow = row;
    this.addDetails(row);
    this.focus(row);
    this.onOpen(row, true);
  }

  close() {
    if (this.openRow < 0) return;
    const line = this.findLine(this.openRow);
    const button = line?.querySelector("button");
    button?.setAttribute("aria-expanded", "false");
    button?.removeAttribute("aria-controls");
    line?.classList.remove("is-open");
    find("details")?.remove();
    const row = this.openRow;
    this.openRow = -1;
    this.onOpen(row, false);
  }

  toggle(row) {
    if (row === this.openRow) this.close();
    else this.open(row);
  }

  addDetails(row) {
    const line = this.findLine(row);
    const button = line.querySelector("button");
    const cell = make("td", { role: "cell", colspan: line.cells.length });
    line.classList.add("is-open");
    button.setAttribute("aria-expanded", "true");
    button.setAttribute("aria-controls", "details");
    line.after(make("tr", { role: "row", id: "details" }, cell));
    fillDetails(cell, this.index, row);
  }

  focus(row) {
    const line = this.findLine(row);
    line.querySelector("button").focus({ preventScroll: true });
    line.scrollIntoView({ block: row === this.openRow ? "start" : "nearest" });
  }

  /** Move the focus by a number of rows, over the end of the page to the next one. */
  move(step) {
    const focused = document.activeElement.closest?.("#rows tr");
    const line = focused?.id === "details" ? focused.previousElementSibling : focused;
    const row = line ? Number(line.dataset.row) : this.openRow;
    const from = row < 0 ? this.page * this.size - (step > 0 ? 1 : 0) : this.rows.indexOf(row);
    const to = Math.min(Math.max(from + step, 0), this.rows.length - 1);
    if (to < 0) return;
    const page = Math.floor(to / this.size);
    if (page !== this.page) this.turnTo(page);
    if (this.openRow >= 0 && this.openRow !== this.rows[to]) this.open(this.rows[to]);
    else this.focus(this.rows[to]);
  }
}

/** Return the headings of the table, which sort it. */
function makeHeadings() {
  const heading = (kind, key, name) => make("th", { role: "columnheader", scope: "col", class: kind, "data-sort": key },
    key ? make("button", { type: "button" }, name) : name);
  return [
    heading("number", "number", "No."),
    DATA.groups.length ? heading("group", "group", make("bdi", {}, DATA.group_by)) : null,
    heading("question", null, "Question"),
    heading("right", null, "Right"),
    ...DATA.runs.map((_, run) => heading("run", `r${run + 1}`, makeRunName(run))),
  ].filter(Boolean);
}

function makeEmpty() {
  const columns = document.querySelectorAll("#questions-table thead th").length;
  return make("tr", { role: "row" },
    make("td", { role: "cell", class: "empty", colspan: columns }, "No question passes these filters."));
}
