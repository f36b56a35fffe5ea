// The search: it walks all blocks, one after the other, and keeps for each row only whether it was found. Between blocks the
// page may draw and react; a new search ends the one before.

const SLICE_MILLISECONDS = 24;
const PROGRESS_MILLISECONDS = 150; // drawing the progress after each slice would make the search slower by a third

/** Return the words and "phrases" of a query, in lower case. */
function readQuery(text) {
  return [...text.toLowerCase().matchAll(/"([^"]+)"|[^\s"]+/g)].map((match) => match[1] ?? match[0]);
}

/**
 * Return for each row 1 if every word stands in its question or in one of its answers; null if the search was ended.
 *
 * @param onProgress called with the share that is done
 * @param signal ends the search
 */
async function searchTexts(words, onProgress, signal) {
  const found = new Uint8Array(DATA.rows);
  const blocks = Math.ceil(DATA.rows / DATA.block_rows);
  let paused = performance.now(), drawn = paused;
  for (let block = 0; block < blocks; block++) {
    const first = block * DATA.block_rows;
    const texts = await Promise.all(
      Array.from({ length: 1 + DATA.runs.length }, (_, stream) => unpackText(nameBlock(block, stream))),
    );
    found.set(searchBlock(words, texts, Math.min(DATA.block_rows, DATA.rows - first)), first);
    if (performance.now() - paused > SLICE_MILLISECONDS) {
      if (performance.now() - drawn > PROGRESS_MILLISECONDS) {
        onProgress((block + 1) / blocks);
        drawn = performance.now();
      }
      await giveWay();
      paused = performance.now();
    }
    if (signal.aborted) return null;
  }
  return found;
}

/** Return for each row of a block 1 if every word stands in one of its records. */
function searchBlock(words, texts, count) {
  const lowered = texts.map((text) => text.toLowerCase());
  const found = new Uint8Array(count).fill(1);
  for (const word of words) {
    const hits = new Uint8Array(count);
    for (const text of lowered) {
      if (text.includes(word)) {
        text.split(RECORD_SEPARATOR).forEach((record, row) => { if (record.includes(word)) hits[row] = 1; });
      }
    }
    for (let row = 0; row < count; row++) found[row] &= hits[row];
  }
  return found;
}

/** Let the browser draw and handle input. A message is used since a timer would wait for four milliseconds. */
function giveWay() {
  return new Promise((resolve) => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => { channel.port1.close(); resolve(); };
    channel.port2.postMessage(null);
  });
}
