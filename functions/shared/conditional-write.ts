/** What a conditional write answers; `undefined` when its condition does not hold. */
export async function ifHolds<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write();
  } catch (error) {
    if (error instanceof Error && error.name === 'ConditionalCheckFailedException') return undefined;
    throw error;
  }
}

/** Whether a conditional write took place; `false` when its condition does not hold. */
export async function holds(write: () => Promise<unknown>): Promise<boolean> {
  return (await ifHolds(async () => ({ answer: await write() }))) !== undefined;
}
