// Batches of 1, 2, 4, … that stop growing at the first failure: a quota or a broken webhook is met once, not a hundred
// times.

/** Runs `work` up to `count` times; answers how many succeeded and the first failure, after which no batch starts. */
export async function slowStart(
  count: number,
  work: () => Promise<void>,
): Promise<{ succeeded: number; failure?: { error: unknown } }> {
  let succeeded = 0;
  let left = count;
  for (let size = Math.min(1, count); size > 0; size = Math.min(2 * size, left)) {
    const results = await Promise.allSettled(Array.from({ length: size }, work));
    const failed = results.find((result) => result.status === 'rejected');
    succeeded += results.filter((result) => result.status === 'fulfilled').length;
    if (failed) return { succeeded, failure: { error: failed.reason } };
    left -= size;
  }
  return { succeeded };
}
