import type { QueryOperation } from '../aws/api.ts';

/**
 * Operations over what one region has, as operations of whichever region is asked.
 *
 * @param own the region whose operations stand for all: each has the same ones.
 */
export function inEachRegion(
  own: string,
  build: (region: string) => Record<string, QueryOperation>,
): Record<string, QueryOperation> {
  const built = new Map<string, Record<string, QueryOperation>>();
  const find = (name: string, region: string): QueryOperation => {
    const operations = built.get(region) ?? build(region);
    built.set(region, operations);
    const operation = operations[name];
    if (operation === undefined) throw new Error(`The region ${region} has no operation ${name}.`);
    return operation;
  };
  return Object.fromEntries(
    Object.entries(build(own)).map(([name, { schema }]) => [
      name,
      {
        schema,
        authorize: (input, context) => find(name, context.region).authorize(input, context),
        run: (input, context) => find(name, context.region).run(input, context),
      } satisfies QueryOperation,
    ]),
  );
}
