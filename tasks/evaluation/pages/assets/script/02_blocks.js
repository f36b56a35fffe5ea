// Blocks: the index and the texts, compressed and in base64, each in a data element of its own. Unpacked records are kept for
// the last few blocks only, so that memory does not grow with the file.

const FIELD_SEPARATOR = "\u001f";
const RECORD_SEPARATOR = "\u001e";
const MOST_KEPT = 24;

function decodeBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const characters = atob(text);
  const bytes = new Uint8Array(characters.length);
  for (let at = 0; at < bytes.length; at++) bytes[at] = characters.charCodeAt(at);
  return bytes;
}

/** Return the content of a block. A Blob that is piped through the stream would take twice the time. */
function unpack(id) {
  const stream = new DecompressionStream("gzip");
  const writer = stream.writable.getWriter();
  const written = [writer.write(decodeBase64(find(id).textContent)), writer.close()];
  for (const promise of written) promise.catch(() => {}); // the reader gets the same error
  return new Response(stream.readable).arrayBuffer();
}

/** Return the content of a block as text; `Response.text` would take four times as long, and drop a first U+FEFF. */
async function unpackText(id) {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(await unpack(id));
}

/**
 * Return the index: for each column an array with a value for each row. Those of a run end with its place in the view; `all`
 * holds the outcomes in every run, shown or not.
 */
async function readIndex() {
  const bytes = await unpack(`${DATA.prefix}index`);
  const kinds = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array };
  const columns = {};
  let start = 0;
  for (const { name, bytes: width } of DATA.columns) {
    const end = start + width * DATA.rows;
    columns[name] = new kinds[width](bytes.slice(start, end)); // a copy, since an array must begin at a multiple of its width
    start = end;
  }
  const shown = { ...columns, all: FILES[VIEW.file].runs.map((_, run) => columns[`outcome${run}`]) };
  VIEW.runs.forEach((run, place) => {
    for (const kind of ["outcome", "marks", "choice"]) shown[`${kind}${place}`] = columns[`${kind}${run}`];
  });
  return shown;
}

const keptBlocks = new Map(); // the promised records of each block, the least recently used first

/** Return the name of a block; `stream` 0 holds questions, 1 and up the answers of each run that is shown. */
function nameBlock(block, stream) {
  return `${DATA.prefix}texts-${block}-${stream ? VIEW.runs[stream - 1] + 1 : 0}`;
}

/** Return the records of a block. */
function readRecords(block, stream) {
  const id = nameBlock(block, stream);
  const records = keptBlocks.get(id) ?? unpackText(id).then((text) => text.split(RECORD_SEPARATOR));
  keptBlocks.delete(id);
  keptBlocks.set(id, records);
  if (keptBlocks.size > MOST_KEPT) keptBlocks.delete(keptBlocks.keys().next().value);
  return records;
}

/** Return the fields of a row's record in a stream. */
async function readFields(row, stream) {
  const records = await readRecords(Math.floor(row / DATA.block_rows), stream);
  return records[row % DATA.block_rows].split(FIELD_SEPARATOR);
}

/** Return a row's question in its parts. */
async function readQuestion(row) {
  const [stem, right, reference, count, ...rest] = await readFields(row, 0);
  const end = 2 * Number(count);
  return { stem, right, reference, choices: pairUp(rest.slice(0, end)), others: pairUp(rest.slice(end)) };
}

/** Return the attempts of a run at a row's question, each with the fields that `DATA.attempt_fields` names. */
async function readAttempts(row, run) {
  const fields = await readFields(row, 1 + run);
  const names = DATA.attempt_fields;
  const attempts = [];
  for (let at = 0; at + names.length <= fields.length; at += names.length) {
    attempts.push(Object.fromEntries(names.map((name, place) => [name, fields[at + place]])));
  }
  return attempts;
}

function pairUp(fields) {
  const pairs = [];
  for (let at = 0; at + 1 < fields.length; at += 2) pairs.push([fields[at], fields[at + 1]]);
  return pairs;
}
