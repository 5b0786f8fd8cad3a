/** An update that does `sets`, and of `optional` sets what has a value and removes what has none. */
export function assign(sets: readonly string[], optional: Readonly<Record<string, unknown>>) {
  const given = Object.entries(optional).filter(([, value]) => value !== undefined);
  const absent = Object.keys(optional).filter((name) => optional[name] === undefined);
  const all = [...sets, ...given.map(([name]) => `#${name} = :${name}`)];
  const removed = absent.length === 0 ? '' : ` REMOVE ${absent.map((name) => `#${name}`).join(', ')}`;
  return {
    UpdateExpression: `SET ${all.join(', ')}${removed}`,
    values: Object.fromEntries(given.map(([name, value]) => [`:${name}`, value])),
  };
}

/** DynamoDB refuses values that no expression mentions. */
export function used(
  values: Readonly<Record<string, unknown>>,
  expressions: string,
): Record<string, unknown> {
  const mentioned = new Set(expressions.match(/:\w+/g));
  return Object.fromEntries(Object.entries(values).filter(([name]) => mentioned.has(name)));
}
