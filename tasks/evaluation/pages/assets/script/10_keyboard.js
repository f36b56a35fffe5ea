// The keyboard. Single letters act only while nobody types; keys with a modifier belong to the browser.

function listenToKeys(table) {
  const help = find("help");
  const actions = {
    j: () => table.move(1),
    k: () => table.move(-1),
    "/": () => { find("search").focus(); find("search").select(); },
    "?": () => help.showModal(),
    "[": () => table.turnTo(table.page - 1),
    "]": () => table.turnTo(table.page + 1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    const isTyping = event.target.matches("input, select, textarea");
    if (event.key === "Escape") leave(table, isTyping ? event.target : null);
    else if (!isTyping && actions[event.key]) {
      event.preventDefault(); // else "/" would be typed into the search
      actions[event.key]();
    }
  });
  find("show-help").addEventListener("click", () => help.showModal());
  find("close-help").addEventListener("click", () => help.close());
}

/** Let the keyboard reach, and so scroll, what is larger than its place. Not every browser does so by itself. */
function makeReachable(root) {
  for (const element of root.querySelectorAll(".scroll, .text")) {
    const isLarger = element.scrollWidth > element.clientWidth || element.scrollHeight > element.clientHeight;
    if (isLarger) element.tabIndex = 0;
    else element.removeAttribute("tabindex");
  }
}

/** Leave the search field, else close the open question. */
function leave(table, field) {
  if (field) {
    field.blur();
    return;
  }
  const row = table.openRow;
  table.close();
  if (row >= 0) table.focus(row);
}
