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

/**
 * The condition of a write that nobody else has written meanwhile: the item in the table is still of the version that was read.
 * What is written has the next one.
 *
 * @param version attribute `version` of what was read; 0: there was no item.
 */
export function ifVersion(version: number) {
  if (version === 0) return { ConditionExpression: 'attribute_not_exists(pk)' };
  return {
    ConditionExpression: '#version = :version',
    ExpressionAttributeNames: { '#version': 'version' },
    ExpressionAttributeValues: { ':version': version },
  };
}
