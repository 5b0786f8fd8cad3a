import type { Entries } from 'dynalite/types';

const batchSize = 256;

/** Every entry of an iterator, which is closed at the end or when the reader stops early. */
export async function* pieces<T>(entries: Entries<T>): AsyncGenerator<T> {
  try {
    for (;;) {
      const batch = await entries.nextv(batchSize);
      if (batch.length === 0) return;
      yield* batch;
    }
  } finally {
    await entries.close();
  }
}
