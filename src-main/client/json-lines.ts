// A byte stream of newline-separated JSON documents, decoded as it arrives. A document may be split anywhere, also
// inside a multi-byte character, so bytes are joined before they are decoded.

const newline = 0x0a;

/** Yields each document; an unfinished last line is dropped, since the peer never completed it. */
export async function* jsonLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<unknown> {
  let partial: Buffer[] = [];
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const piece = chunk.subarray(start, end);
      const line = partial.length === 0 ? piece : Buffer.concat([...partial, piece]);
      partial = [];
      start = end + 1;
      if (line.length > 0) yield JSON.parse(line.toString('utf8'));
    }
    if (start < chunk.length) partial.push(chunk.subarray(start));
  }
}
