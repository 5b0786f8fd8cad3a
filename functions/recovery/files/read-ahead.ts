/**
 * Does work on each item, several at once, and gives the results in the order of the items.
 *
 * @param width how many are at work or wait to be taken.
 * @throws what the first one that failed threw, once none is at work any more.
 */
export async function* readAhead<T, R>(
  items: Iterable<T>,
  width: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const waiting: Promise<R>[] = [];
  const start = (item: T): void => {
    const running = work(item);
    // Whoever takes it hears of it; until then it is nobody's.
    running.catch(() => undefined);
    waiting.push(running);
  };
  try {
    for (const item of items) {
      start(item);
      if (waiting.length < width) continue;
      const first = waiting.shift();
      if (first !== undefined) yield await first;
    }
    for (let first = waiting.shift(); first !== undefined; first = waiting.shift()) yield await first;
  } finally {
    await Promise.allSettled(waiting);
  }
}
