// The details of an open question: its text and choices, then each run's answer, grade and reasoning side by side.

/** Fill a cell with a row's details, as soon as its texts are unpacked. */
async function fillDetails(cell, index, row) {
  const link = make("a", { class: "link", href: writeAddress({ ...describeView(), q: nameRow(index, row) }) }, "Link to this question");
  if (!DATA.has_texts) {
    cell.append(make("p", { class: "note" }, "The results file holds the texts."), link);
    return;
  }
  cell.append(make("p", { class: "note", role: "status" }, "Unpacking …"));
  const [question, ...answers] = await Promise.all([
    readQuestion(row),
    ...DATA.runs.map((_, run) => (index[`outcome${run}`][row] === ABSENT ? [] : readAttempts(row, run))),
  ]);
  cell.replaceChildren(
    makeQuestion(question, answers),
    make("div", { class: "answers" }, DATA.runs.map((_, run) => makeAnswer(index, row, run, answers[run]))),
    makeOthers(question.others),
    link,
  );
  makeReachable(cell);
}

function makeQuestion({ stem, right, reference, choices }, answers) {
  const isNamed = choices.some(([label]) => splitLabels(right).includes(label));
  return make("div", { class: "asked" },
    makeText(stem, "stem"),
    choices.length ? make("ol", { class: "choices" }, choices.map((choice) => makeChoice(choice, right, answers))) : null,
    isNamed ? null : make("p", { class: "reference" }, make("span", { class: "term" }, "Reference answer "),
      make("bdi", {}, reference || right || "unknown")));
}

/** Return a choice with what is said about it: whether it is right, and which runs have chosen it. */
function makeChoice([label, text], right, answers) {
  const isRight = splitLabels(right).includes(label);
  const choosers = DATA.runs.flatMap((_, run) => {
    const count = answers[run].filter((attempt) => splitLabels(attempt.choice).includes(label)).length;
    const times = answers[run].length > 1 ? ` ${count} of ${answers[run].length} times` : "";
    return count ? [make("span", { class: "chooser" }, makeRunName(run), times)] : [];
  });
  return make("li", { class: isRight ? "is-right" : "" },
    make("span", { class: "label" }, label),
    make("div", {},
      make("span", { class: "choice-text", dir: "auto" }, text),
      isRight ? make("span", { class: "is-right tag" }, "✓ right") : null,
      choosers.length ? make("span", { class: "choosers" }, make("span", { class: "hidden" }, "chosen by "), choosers) : null));
}

/** Return the labels that a choice names: "A, C" names two; a text, as a grader may write one, is a label of its own. */
function splitLabels(choice) {
  return choice.split(/[\s,;]+/).map((label) => label.replace(/[().:]/g, "").toUpperCase()).filter(Boolean);
}

function makeAnswer(index, row, run, attempts) {
  const outcome = describeOutcome(index[`outcome${run}`][row]);
  const marks = listMarks(index, row, run).map((mark) => make("span", { class: "tag" }, mark));
  const heading = make("h3", {}, makeRunName(run),
    make("span", { class: `verdict is-${outcome.key}` }, `${outcome.sign} ${outcome.words} ${outcome.share}`), marks);
  if (attempts.length === 1) return make("section", { class: "answer" }, heading, makeAttempt(attempts[0], run));
  return make("section", { class: "answer" }, heading, attempts.map((attempt, place) => makeFolded(attempt, run, place)));
}

/** Return one of several attempts, folded under its verdict; the first is open. */
function makeFolded(attempt, run, place) {
  const { key, sign, words } = describeScore(attempt.score);
  const chose = attempt.choice ? `, chose ${attempt.choice}` : "";
  const order = attempt.order ? `, shown as ${attempt.order}` : "";
  return make("details", { class: "attempt", open: place === 0 },
    make("summary", {}, `Attempt ${place + 1}: `, make("span", { class: `verdict is-${key}` }, `${sign} ${words}`),
      make("bdi", {}, chose), make("bdi", {}, order)),
    makeAttempt(attempt, run));
}

function makeAttempt(attempt, run) {
  return [
    attempt.error ? makeTerm("Error", attempt.error, "is-wrong") : null,
    attempt.answer ? makeText(attempt.answer, "answer-text") : attempt.error ? null : make("p", { class: "note" }, "An empty answer."),
    attempt.clarification ? makeTerm("Asked which choice it meant", attempt.clarification) : null,
    attempt.grading ? makeTerm("Grade", attempt.grading) : null,
    attempt.reasoning ? make("details", { class: "own-reasoning" },
      make("summary", {}, `The model’s own reasoning (${formatCount(attempt.reasoning.length)} characters)`),
      makeText(attempt.reasoning, "answer-text")) : null,
    attempt.chunks ? makeChunks(JSON.parse(attempt.chunks)) : null,
    makeFacts(attempt, run),
  ];
}

/** Return the chunks that the question was asked with, folded, the nearest first. */
function makeChunks(chunks) {
  return make("details", { class: "chunks" },
    make("summary", {}, `Retrieved: ${chunks.length === 1 ? "1 chunk" : `${formatCount(chunks.length)} chunks`} `,
      chunks.some((chunk) => chunk[4] === "the question’s own") ? make("span", { class: "is-right tag" }, "✓ with the question’s own") : null),
    make("ol", {}, chunks.map(([score, id, path, text, remark]) => make("li", {},
      make("p", { class: "facts" }, [score, path || id].filter(Boolean).map((fact) => make("bdi", {}, fact)),
        remark ? make("span", { class: "tag" }, remark) : null),
      text ? makeText(text, "short-text") : null))));
}

function makeFacts(attempt, run) {
  const facts = [
    attempt.choice ? `chose ${attempt.choice}` : "",
    attempt.probabilities ? `probabilities ${attempt.probabilities}` : "",
    attempt.finish && attempt.finish !== "stop" ? `ended by ${attempt.finish}` : "",
    attempt.model && attempt.model !== DATA.runs[run].model ? `answered by ${attempt.model}` : "",
    attempt.tokens ? `${formatCount(Number(attempt.tokens))} tokens` : "",
    Number(attempt.seconds) ? `${attempt.seconds} s` : "",
  ].filter(Boolean);
  return facts.length ? make("p", { class: "facts" }, facts.map((fact) => make("bdi", {}, fact))) : null;
}

function makeTerm(name, text, kind = "") {
  return make("div", { class: `term-line ${kind}` }, make("span", { class: "term" }, name), makeText(text, "short-text"));
}

/** Return a text as it is, with its line breaks; a long one scrolls. */
function makeText(text, kind) {
  return make("div", { class: `text ${kind}`, dir: "auto" }, text);
}

function makeOthers(others) {
  return others.length ? make("dl", { class: "others" },
    others.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", { dir: "auto" }, value)))) : null;
}
