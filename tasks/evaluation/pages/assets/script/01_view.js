// The view: which file of questions is shown, and which of its runs stand side by side. A report has one file, and shows all of
// its runs; a leaderboard has a file for each board, and shows a few of its cells. Another choice loads the page again.
//
//   file=2  runs=1,4,5

const FILES = [JSON.parse(find("data").textContent)].flat();
const MOST_SHOWN = 6; // as many as there are shapes and colours
const VIEW = readView();
const DATA = { ...FILES[VIEW.file], runs: VIEW.runs.map((run) => FILES[VIEW.file].runs[run]) };

/** Return the view that the address names: the places of its file and of its runs, else of the first ones. */
function readView() {
  const parts = new URLSearchParams(location.hash.slice(1));
  const file = Math.min(Math.max(Math.trunc(Number(parts.get("file"))) || 1, 1), FILES.length) - 1;
  const places = FILES[file].runs.map((_, run) => run);
  const named = new Set((parts.get("runs") ?? "").split(",").map((name) => Number(name) - 1));
  const chosen = places.filter((run) => named.has(run));
  return { file, runs: (chosen.length ? chosen : places).slice(0, MOST_SHOWN) };
}

/** Return the view as parts of an address; what would be shown anyway is left out. */
function describeView({ file, runs } = VIEW) {
  const isUsual = runs.every((run, place) => run === place) && runs.length === Math.min(FILES[file].runs.length, MOST_SHOWN);
  return { file: file ? String(file + 1) : "", runs: isUsual ? "" : runs.map((run) => run + 1).join(",") };
}

/** Return true if the address names another view than the one that is shown. */
function isOtherView() {
  return JSON.stringify(readView()) !== JSON.stringify(VIEW);
}

/** Let the user choose another file, if there are several, and other runs, if there are more than are shown. */
function showChoice() {
  const parts = [];
  if (FILES.length > 1) parts.push(makeFileChoice());
  if (FILES[VIEW.file].runs.length > MOST_SHOWN) parts.push(makeRunChoice());
  find("choice").replaceChildren(...parts);
}

function makeFileChoice() {
  const options = FILES.map(({ title }, file) => make("option", { value: file, selected: file === VIEW.file }, title));
  const select = make("select", {}, options);
  select.addEventListener("change", () => { location.hash = writeAddress({ file: Number(select.value) + 1 }); });
  return make("label", { class: "file-choice" }, make("span", {}, "Questions of "), select);
}

function makeRunChoice() {
  const { runs } = FILES[VIEW.file];
  const boxes = runs.map((_, run) => make("input", { type: "checkbox", checked: VIEW.runs.includes(run) }));
  const list = () => boxes.flatMap((box, run) => (box.checked ? [run] : []));
  const button = make("button", { type: "button" }, "Show these");
  const update = () => {
    const count = list().length;
    button.disabled = !count || count > MOST_SHOWN;
    for (const box of boxes) box.disabled = count >= MOST_SHOWN && !box.checked;
  };
  for (const box of boxes) box.addEventListener("change", update);
  button.addEventListener("click", () => {
    const view = describeView({ file: VIEW.file, runs: list() });
    location.hash = writeAddress({ ...view, file: VIEW.file + 1 });
  });
  update();
  return make("details", { class: "run-choice" },
    make("summary", {}, `${VIEW.runs.length} of ${runs.length} cells are shown side by side`),
    make("div", { class: "boxes" }, runs.map(({ name }, run) => make("label", {}, boxes[run], " ", make("bdi", {}, name)))),
    button);
}
