/** Does something with each of several things, so many at the same time, and returns the results in their order. */
export async function inTurns<T, R>(
  things: readonly T[],
  atOnce: number,
  run: (thing: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const queue = things.entries();
  const worker = async () => {
    for (const [index, thing] of queue) results[index] = await run(thing);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, things.length) }, worker));
  return results;
}
