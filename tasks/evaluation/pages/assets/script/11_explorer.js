// The explorer: holds the parts together. Whatever changes the view ends in `refresh`, which filters, sorts and shows.

const SEARCH_DELAY = 200; // milliseconds after the last key

class Explorer {
  constructor(index) {
    this.index = index;
    this.found = null;
    this.searched = ""; // the query that `found` answers
    this.sort = { key: "number", isDescending: false };
    this.facets = listFacets(index);
    const { counts } = selectRows(index, this.facets, null, null);
    this.controls = new Controls(this.facets, counts, () => this.refresh());
    this.table = new QuestionTable(index, () => this.updateAddress());
    this.search = null;
  }

  /** Show the questions that pass, and how many. */
  refresh() {
    const { index, controls, facets } = this;
    this.startSearch();
    const selected = selectRows(index, facets, controls.group, this.found);
    const isFiltered = facets.some((facet) => facet.chosen) || controls.group !== null || find("search").value !== "";
    controls.update(selected, isFiltered);
    this.table.show(this.arrange(selected.rows));
    const shown = selected.rows.length;
    find("shown").textContent = shown === DATA.rows ? countQuestions(shown) : `${formatCount(shown)} of ${countQuestions(DATA.rows)}`;
    this.updateAddress();
  }

  /** Return the rows in the order that the user wants. */
  arrange(rows) {
    const { key, isDescending } = this.sort;
    if (key === "number") return isDescending ? rows.reverse() : rows;
    if (key === "group") return sortRows(rows, this.index.group.map((place) => this.rankGroup(place)), isDescending);
    return sortRows(rows, this.index[`outcome${Number(key.slice(1)) - 1}`], isDescending);
  }

  rankGroup(place) {
    this.groupRanks ??= new Map(DATA.groups.map((name, at) => [at, name])
      .sort(([, a], [, b]) => a.localeCompare(b)).map(([at], rank) => [at, rank]));
    return this.groupRanks.get(place) ?? DATA.groups.length;
  }

  sortBy(key) {
    this.sort = { key, isDescending: this.sort.key === key && !this.sort.isDescending };
    this.showSort();
    this.refresh();
  }

  showSort() {
    for (const heading of document.querySelectorAll("#questions-table th[data-sort]")) {
      const isSorted = heading.dataset.sort === this.sort.key;
      heading.setAttribute("aria-sort", isSorted ? (this.sort.isDescending ? "descending" : "ascending") : "none");
    }
  }

  /** Search for the words in the field, unless that was done or is under way; refresh when it is done. */
  async startSearch() {
    const query = find("search").value;
    if (query === this.searched) return;
    this.searched = query;
    this.search?.abort();
    const search = this.search = new AbortController();
    const words = readQuery(query);
    const progress = find("progress");
    progress.hidden = !words.length;
    progress.value = 0;
    if (!words.length) {
      this.found = null;
      return;
    }
    const found = await searchTexts(words, (share) => { progress.value = share; }, search.signal);
    if (search.signal.aborted) return; // a newer search has begun, and shows its own progress
    this.found = found;
    progress.hidden = true;
    this.refresh();
  }

  updateAddress() {
    const { key, isDescending } = this.sort;
    const row = this.table.openRow;
    replaceAddress(writeAddress({
      ...describeView(),
      ...this.controls.describe(),
      find: find("search").value.trim(),
      sort: key === "number" && !isDescending ? "" : `${isDescending ? "-" : ""}${key}`,
      q: row < 0 ? "" : nameRow(this.index, row),
    }));
  }

  /** Show what the address says; the open question is shown even if the filters leave it out. */
  follow() {
    const parts = readAddress() ?? new URLSearchParams();
    const sort = parts.get("sort") ?? "number";
    const row = parts.has("q") ? findRow(this.index, parts.get("q")) : -1;
    this.sort = { key: sort.replace("-", ""), isDescending: sort.startsWith("-") };
    if (!document.querySelector(`#questions-table th[data-sort="${CSS.escape(this.sort.key)}"]`)) this.sort.key = "number";
    this.controls.choose(parts);
    find("search").value = parts.get("find") ?? "";
    this.showSort();
    this.table.openRow = -1;
    this.refresh();
    if (row >= 0) this.reveal(row);
    else if ([...parts].length) find("questions").scrollIntoView();
  }

  reveal(row) {
    if (!this.table.rows.includes(row)) {
      this.controls.clear();
      this.refresh();
    }
    this.table.open(row);
  }

  listen() {
    let timer;
    const field = find("search");
    const search = () => {
      clearTimeout(timer); // else the table would go back to its first page after the user has turned to another
      if (field.value !== this.searched) this.refresh();
    };
    field.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(search, SEARCH_DELAY);
    });
    field.addEventListener("blur", search);
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.table.move(1);
    });
    find("page-size").addEventListener("change", (event) => {
      this.table.size = Number(event.target.value);
      this.table.turnTo(0);
    });
    const turns = { "first-page": () => 0, "previous-page": () => this.table.page - 1, "next-page": () => this.table.page + 1 };
    turns["last-page"] = () => this.table.pageCount - 1;
    for (const [id, place] of Object.entries(turns)) find(id).addEventListener("click", () => this.table.turnTo(place()));
    for (const heading of document.querySelectorAll("#questions-table th[data-sort]")) {
      heading.querySelector("button").addEventListener("click", () => this.sortBy(heading.dataset.sort));
    }
    find("rows").addEventListener("click", (event) => {
      const line = event.target.closest("tr[data-row]");
      if (line && !String(getSelection())) this.table.toggle(Number(line.dataset.row));
    });
    addEventListener("hashchange", () => {
      if (!readAddress()) return;
      if (isOtherView()) location.reload();
      else this.follow();
    });
    listenToKeys(this.table);
  }
}

async function start() {
  if (!("DecompressionStream" in globalThis)) throw new Error("this browser cannot unpack them: it is too old");
  showChoice();
  find("headings").replaceChildren(...makeHeadings());
  find("questions-table").classList.toggle("is-wide", DATA.runs.length > 3);
  const explorer = new Explorer(await readIndex());
  find("explorer").hidden = false;
  find("loading").remove();
  explorer.listen();
  explorer.follow();
  makeReachable(document);
  addEventListener("resize", () => makeReachable(document));
  document.addEventListener("toggle", (event) => makeReachable(event.target), true);
}

start().catch((error) => {
  find("loading").textContent = `The questions cannot be shown: ${error.message}`;
});
