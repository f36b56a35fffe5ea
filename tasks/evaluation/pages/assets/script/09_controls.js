// The controls above the table: a line of filters for the comparison and for each run, the groups, and what they leave.

class Controls {
  /**
   * @param totals how many rows have each value of each facet
   * @param onChange called after the user has changed what is chosen
   */
  constructor(facets, totals, onChange) {
    this.facets = facets;
    this.totals = totals;
    this.onChange = onChange;
    this.group = null;
    this.buttons = facets.map((facet) => facet.values.map((value, bit) => this.makeButton(facet, value, bit)));
    this.lines = this.makeLines();
    find("facets").replaceChildren(...this.lines);
    if (DATA.groups.length) this.fillGroups();
    find("clear").addEventListener("click", () => { this.clear(); this.onChange(); });
  }

  makeButton(facet, value, bit) {
    const name = [value.sign ? `${value.sign} ` : "", value.label, value.run === undefined ? null : [" ", makeRunName(value.run)]];
    const button = make("button", { type: "button", class: `chip is-${value.key}`, "aria-pressed": "false" },
      name, " ", make("span", { class: "count" }));
    button.addEventListener("click", () => {
      facet.chosen ^= 1 << bit;
      this.onChange();
    });
    return button;
  }

  /** Return a line of buttons for all runs, one for those compared, and one for each run: its outcomes, then its marks. */
  makeLines() {
    const byRun = new Map();
    this.facets.forEach((facet, place) => byRun.set(facet.run, [...(byRun.get(facet.run) ?? []), ...this.buttons[place]]));
    return [...byRun].map(([run, buttons]) =>
      make("fieldset", { class: "line" },
        make("legend", { class: typeof run !== "number" || DATA.runs.length === 1 ? "hidden" : "" }, nameLine(run)),
        make("div", { class: "chips" }, buttons)));
  }

  fillGroups() {
    const choice = document.querySelector(".group-choice");
    choice.hidden = false;
    choice.firstElementChild.textContent = DATA.group_by;
    const names = DATA.groups.map((name, place) => [name, place]).sort(([a], [b]) => a.localeCompare(b));
    this.options = new Map(names.map(([name, place]) => [place, make("option", { value: place }, name)]));
    const select = find("group");
    select.append(...this.options.values());
    select.addEventListener("change", () => {
      this.group = select.value === "" ? null : Number(select.value);
      this.onChange();
    });
  }

  clear() {
    for (const facet of this.facets) facet.chosen = 0;
    this.group = null;
    find("search").value = "";
  }

  /** Show what is chosen and how many rows each choice would show; hide the values that no row has. */
  update({ counts, groupCounts }, isFiltered) {
    this.facets.forEach((facet, place) => facet.values.forEach((value, bit) => {
      const button = this.buttons[place][bit];
      const isChosen = Boolean(facet.chosen & (1 << bit));
      button.hidden = !this.totals[place][bit] && !isChosen;
      button.setAttribute("aria-pressed", isChosen);
      button.classList.toggle("is-empty", !counts[place][bit] && !isChosen);
      button.querySelector(".count").textContent = formatCount(counts[place][bit]);
    }));
    for (const line of this.lines) line.hidden = [...line.querySelectorAll("button")].every((button) => button.hidden);
    this.options?.forEach((option, place) => {
      option.textContent = `${DATA.groups[place]} (${formatCount(groupCounts[place])})`;
    });
    if (DATA.groups.length) find("group").value = this.group === null ? "" : String(this.group);
    find("clear").hidden = !isFiltered;
  }

  /** Return what is chosen as parts of an address. */
  describe() {
    const parts = this.facets.map((facet) => [
      facet.key,
      facet.values.filter((_, bit) => facet.chosen & (1 << bit)).map((value) => value.key).join(","),
    ]);
    return { ...Object.fromEntries(parts), group: this.group === null ? "" : DATA.groups[this.group] };
  }

  /** Choose what an address says. */
  choose(parts) {
    for (const facet of this.facets) {
      const keys = (parts.get(facet.key) ?? "").split(",");
      facet.chosen = facet.values.reduce((bits, value, bit) => bits | (keys.includes(value.key) ? 1 << bit : 0), 0);
    }
    const place = DATA.groups.indexOf(parts.get("group"));
    this.group = place < 0 ? null : place;
  }
}

/** Return what a line of filters is about: all runs, those compared, or one. */
function nameLine(run) {
  return run === undefined ? "All cells" : run === null ? "Compared" : makeRunName(run);
}
