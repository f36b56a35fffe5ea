// Elements. Texts of questions and models become text nodes and nothing else: no markup is ever parsed from a string, which
// the page's policy also forbids (`require-trusted-types-for`).

const SVG = "http://www.w3.org/2000/svg";

/** Return a new element. An attribute that is false or null is left out; a child may be a text, an element or null. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(2).filter((child) => child !== null && child !== undefined));
  return element;
}

function find(id) {
  return document.getElementById(id);
}

/** Return the sign of a run: a shape and a colour of its own, which stands beside its name everywhere. */
function makeSign(run) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `sign run-${run}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#shape-${run}`);
  svg.append(use);
  return svg;
}

/** Return a run's sign and name; the name is isolated, so that its direction of writing does not spread. */
function makeRunName(run) {
  return make("span", { class: "run-name" }, makeSign(run), make("bdi", {}, DATA.runs[run].name));
}

const COUNT_FORMAT = new Intl.NumberFormat("en-US");

function formatCount(count) {
  return COUNT_FORMAT.format(count);
}

function countQuestions(count) {
  return `${formatCount(count)} ${count === 1 ? "question" : "questions"}`;
}
