import * as z from 'zod';
import type { RecoveryTable } from '../catalog/recovery-table.ts';
import { type Rule, ruleSchema } from './model.ts';

const key = { pk: 'AUTOMATION', sk: 'RULE' };
const version = z.object({ version: z.number().int() });
const itemSchema = z.discriminatedUnion('state', [
  version.extend({ state: z.literal('set'), rule: ruleSchema }),
  version.extend({ state: z.literal('removed') }),
]);

/** The rule, or that there is none any more, and the version that the next change replaces. */
export interface StoredRule {
  /** Rises with each change; 0 before the first. */
  readonly version: number;
  /** Absent when it was removed, or never made. */
  readonly rule: Rule | undefined;
}

/**
 * The one rule of a deployment. That it was removed is remembered, so that the next deployment does not make it
 * again.
 */
export class RuleStore {
  readonly #table: RecoveryTable;

  constructor(table: RecoveryTable) {
    this.#table = table;
  }

  async get(): Promise<StoredRule> {
    const item = await this.#table.get(key);
    if (item === undefined) return { version: 0, rule: undefined };
    const stored = itemSchema.parse(item);
    return { version: stored.version, rule: stored.state === 'set' ? stored.rule : undefined };
  }

  /** Makes the rule where there is none and never was one; `false` otherwise. */
  async seed(rule: Rule): Promise<boolean> {
    return this.#table.put(
      { ...key, state: 'set', rule, version: 1 },
      { expression: 'attribute_not_exists(pk)' },
    );
  }

  /** Replaces that version; `false` when it is not the present one any more. */
  async set(rule: Rule, replaced: number): Promise<boolean> {
    return this.#replace({ state: 'set', rule }, replaced);
  }

  /** Removes that version; `false` when it is not the present one any more. */
  async remove(replaced: number): Promise<boolean> {
    return this.#replace({ state: 'removed' }, replaced);
  }

  #replace(values: { state: 'set'; rule: Rule } | { state: 'removed' }, replaced: number): Promise<boolean> {
    const item = { ...key, ...values, version: replaced + 1 };
    if (replaced === 0) return this.#table.put(item, { expression: 'attribute_not_exists(pk)' });
    return this.#table.put(item, { expression: '#version = :replaced', values: { ':replaced': replaced } });
  }
}
