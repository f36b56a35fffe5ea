// Facets: what the questions are filtered by. For each row a facet has bits, one for each of its values that the row has; the
// user's choice is bits too. A row is shown if it has a chosen value of every facet in which something is chosen.

const { full_score: FULL_SCORE, unusable: UNUSABLE, refused: REFUSED, absent: ABSENT, no_group: NO_GROUP } = DATA.codes;
const MOST_BITS = 1024; // more than any facet's bits
const OUTCOMES = [
  { key: "right", label: "right", sign: "✓" },
  { key: "partly", label: "partly", sign: "◐" },
  { key: "wrong", label: "wrong", sign: "✗" },
  { key: "refused", label: "refused", sign: "⊘" },
  { key: "unusable", label: "cannot be asked", sign: "–" },
  { key: "absent", label: "not in this run", sign: "" },
];
const MARKS = [
  { key: "no-choice", label: "no choice" },
  { key: "truncated", label: "truncated" },
  { key: "clarified", label: "clarified" },
  { key: "unstable", label: "unstable" },
];

/** Return the place in OUTCOMES of a code in the index. */
function placeOutcome(code) {
  if (code === FULL_SCORE) return 0;
  if (code === 0) return 2;
  if (code < FULL_SCORE) return 1;
  return { [REFUSED]: 3, [UNUSABLE]: 4, [ABSENT]: 5 }[code];
}

/** Return all facets but the group: how the runs compare, all and those shown, then each run's outcomes and marks. */
function listFacets(index) {
  const facets = DATA.runs.length > 1 ? [makeComparison(index)] : [];
  if (index.all.length > DATA.runs.length) facets.unshift(makeSpread(index.all));
  DATA.runs.forEach((_, run) => {
    const bits = index[`outcome${run}`].map((code) => 1 << placeOutcome(code));
    facets.push({ key: `r${run + 1}`, run, values: OUTCOMES, bits, chosen: 0 });
    facets.push({ key: `m${run + 1}`, run, values: MARKS, bits: index[`marks${run}`], chosen: 0 });
  });
  return facets;
}

/** Return the facet of how many of all runs are right, whether they are shown or not. */
function makeSpread(outcomes) {
  const count = outcomes.length;
  const values = [
    { key: "all", label: `all ${count} right` },
    { key: "most", label: "more than half right" },
    { key: "few", label: "half or fewer right" },
    { key: "none", label: `none of ${count} right` },
  ];
  const bits = new Uint8Array(DATA.rows);
  for (let row = 0; row < bits.length; row++) {
    let right = 0;
    for (const codes of outcomes) if (codes[row] === FULL_SCORE) right++;
    bits[row] = right === count ? 1 : 2 * right > count ? 2 : right ? 4 : 8;
  }
  return { key: "of", run: undefined, values, bits, chosen: 0 };
}

/** Return the facet of what the runs have in common, over the questions that all have scored. */
function makeComparison(index) {
  const outcomes = DATA.runs.map((_, run) => index[`outcome${run}`]);
  const isPair = outcomes.length === 2;
  const values = [
    { key: "all", label: isPair ? "both right" : "all right" },
    ...DATA.runs.map((_, run) => ({ key: `only${run + 1}`, label: "only", run })),
    { key: "none", label: isPair ? "neither right" : "none right" },
    { key: "differ", label: "different scores" },
    { key: "some", label: isPair ? "not scored by both" : "not scored by all" },
  ];
  const [none, differ, some] = [1, 2, 3].map((place) => 1 << (outcomes.length + place));
  const bits = new Uint16Array(DATA.rows);
  for (let row = 0; row < bits.length; row++) {
    let right = 0, last = 0, isScored = true, isSame = true;
    outcomes.forEach((codes, run) => {
      const code = codes[row];
      if (code > FULL_SCORE) isScored = false;
      if (code !== outcomes[0][row]) isSame = false;
      if (code === FULL_SCORE) { right++; last = run; }
    });
    if (!isScored) bits[row] = some;
    else {
      const whole = right === outcomes.length ? 1 : right === 1 ? 2 << last : right === 0 ? none : 0;
      bits[row] = whole | (isSame ? 0 : differ);
    }
  }
  return { key: "is", run: null, values, bits, chosen: 0 };
}

/**
 * Return the rows that pass, in their order, and how many rows each value would show if it were chosen: a facet's values are
 * counted over the rows that pass every other facet.
 *
 * @param group the place of the only group to show; null for all
 * @param found for each row 1 if the search has found it; null without a search
 */
function selectRows(index, facets, group, found) {
  const rows = new Uint32Array(DATA.rows);
  const counts = facets.map(() => new Uint32Array(MOST_BITS));
  const groupCounts = new Uint32Array(NO_GROUP + 1);
  const active = facets.filter((facet) => facet.chosen);
  const places = active.map((facet) => facets.indexOf(facet));
  let length = 0;
  for (let row = 0; row < DATA.rows; row++) {
    if (found && !found[row]) continue;
    let failures = group !== null && index.group[row] !== group ? 1 : 0;
    let failed = -1; // the only facet that the row does not pass; -1: the group
    for (let at = 0; at < active.length && failures < 2; at++) {
      if (!(active[at].bits[row] & active[at].chosen)) { failures++; failed = places[at]; }
    }
    if (failures > 1) continue;
    if (failures === 1) {
      if (failed >= 0) counts[failed][facets[failed].bits[row]]++;
      else groupCounts[index.group[row]]++;
      continue;
    }
    rows[length++] = row;
    groupCounts[index.group[row]]++;
    for (let at = 0; at < facets.length; at++) counts[at][facets[at].bits[row]]++;
  }
  return { rows: rows.slice(0, length), counts: counts.map(addUpBits), groupCounts };
}

/** Return how many rows have each bit, from how many have each combination of bits. */
function addUpBits(combinations) {
  const sums = new Array(16).fill(0);
  combinations.forEach((count, bits) => {
    for (let bit = 0; count && bits >> bit; bit++) if ((bits >> bit) & 1) sums[bit] += count;
  });
  return sums;
}

/** Return the rows sorted by a key for each; rows with the same key keep their order. Keys are small: they are counted. */
function sortRows(rows, keys, isDescending) {
  let most = 0;
  for (const row of rows) most = Math.max(most, keys[row]);
  const rank = (row) => (isDescending ? most - keys[row] : keys[row]);
  const starts = new Uint32Array(most + 2);
  for (const row of rows) starts[rank(row) + 1]++;
  for (let key = 1; key < starts.length; key++) starts[key] += starts[key - 1];
  const sorted = new Uint32Array(rows.length);
  for (const row of rows) sorted[starts[rank(row)]++] = row;
  return sorted;
}
