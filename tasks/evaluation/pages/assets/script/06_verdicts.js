// Verdicts: how a run's outcome is shown, always as a sign with words, never by its colour alone.

const NO_CHOICE = 1; // the first of MARKS

/** Return a run's verdict on a row as it stands in the table: sign, score or state, and the chosen label. */
function makeVerdict(index, row, run) {
  const outcome = describeOutcome(index[`outcome${run}`][row]);
  const label = DATA.labels[index[`choice${run}`][row]];
  const isUndecided = index[`marks${run}`][row] & NO_CHOICE;
  return make("span", { class: `verdict is-${outcome.key}` },
    make("span", { class: "mark", "aria-hidden": "true" }, outcome.sign),
    make("span", { class: label ? "hidden" : "state" }, isUndecided ? "no choice" : outcome.words),
    label ? make("span", { class: "hidden" }, ", chose ") : null,
    label ? make("bdi", { class: "label" }, label) : null,
    outcome.share ? make("span", { class: "share" }, outcome.share) : null);
}

/** Return an outcome's key, sign and words, and its share of the full score if it is neither none nor all of it. */
function describeOutcome(code) {
  const { key, label, sign } = OUTCOMES[placeOutcome(code)];
  const share = key === "partly" ? `${(100 * code / FULL_SCORE).toFixed(0)} %` : "";
  return { key, sign, share, words: key === "partly" ? "partly right" : label };
}

/** Return the names of a run's marks on a row. */
function listMarks(index, row, run) {
  const bits = index[`marks${run}`][row];
  return MARKS.filter((_, place) => (bits >> place) & 1).map(({ label }) => label);
}

/** Return the verdict on one attempt, from its score as text. */
function describeScore(score) {
  if (score === "") return { key: "refused", sign: "⊘", words: "no score" };
  if (Number(score) === 1) return { key: "right", sign: "✓", words: "right" };
  if (Number(score) === 0) return { key: "wrong", sign: "✗", words: "wrong" };
  return { key: "partly", sign: "◐", words: `score ${score}` };
}
