// The address: what is filtered, sorted and opened stands behind its `#`, so that every view can be sent as a link.
//
//   q=12          the open question, by its number; q=2.12 is number 12 of the second run, which the first does not have
//   r1=right,partly  m1=truncated  is=only2  group=biology  find=two words  sort=-r1
//   file=2  runs=1,4,5     what else a leaderboard shows (see the view)

/** Return the view that the address names, or null if it is the anchor of a heading. */
function readAddress() {
  const text = location.hash.slice(1);
  return text && !text.includes("=") ? null : new URLSearchParams(text);
}

/** Return the address of a view; what is empty is left out. */
function writeAddress(parts) {
  const kept = Object.entries(parts).filter(([, value]) => value);
  return `#${new URLSearchParams(kept)}`;
}

/** Show the address of the view, without a new entry in the history. */
function replaceAddress(address) {
  if (address === location.hash || (address === "#" && !location.hash)) return;
  try {
    history.replaceState(null, "", address);
  } catch {
    // A browser may allow only so many changes in a time, as when a key is held down: then the address lags behind.
  }
}

/** Return a question's part of the address. */
function nameRow(index, row) {
  const number = index.number[row];
  return index.home[row] ? `${index.home[row] + 1}.${number}` : String(number);
}

/** Return the row of a question that an address names; -1 if there is none. */
function findRow(index, name) {
  const [number, run] = name.split(".").map(Number).reverse();
  const home = run ? run - 1 : 0;
  for (let row = 0; row < DATA.rows; row++) if (index.number[row] === number && index.home[row] === home) return row;
  return -1;
}
