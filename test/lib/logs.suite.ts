import { describe, expect, it } from '@jest/globals';
import * as z from 'zod';
import { settings } from '../../lib/costs/page.ts';
import { ofType, synthesize, synthesizeUnchecked } from './support.ts';

const { stacks } = synthesize('local');
const querySchema = z.object({
  Name: z.string().startsWith('Mainstay/local/'),
  QueryString: z.string(),
  LogGroupNames: z.array(z.unknown()).min(1).max(50),
});
const queries = [...stacks.values()].flatMap((stack) =>
  ofType(stack, 'AWS::Logs::QueryDefinition').map(([, { Properties }]) => querySchema.parse(Properties)),
);

describe('Logs', () => {
  it('end, each after the days that are configured', () => {
    const production = synthesizeUnchecked('production', settings.production).stacks;
    for (const stack of [...stacks.values(), ...production.values()]) {
      for (const [id, { Properties }] of ofType(stack, 'AWS::Logs::LogGroup')) {
        expect({ id, days: Properties.RetentionInDays }).toEqual({ id, days: expect.any(Number) });
      }
    }
  });

  it('of every function and workflow are asked the usual questions by saved queries', () => {
    const asked = (name: string) =>
      queries.filter(({ Name }) => Name.includes(name)).flatMap(({ LogGroupNames }) => LogGroupNames);
    const count = (type: string) =>
      [...stacks.values()].reduce((sum, stack) => sum + ofType(stack, type).length, 0);
    const functions = [...stacks.values()].flatMap((stack) =>
      ofType(stack, 'AWS::Lambda::Function').filter(([, { Properties }]) =>
        JSON.stringify(Properties.Environment ?? '').includes('MAINSTAY_FUNCTION'),
      ),
    );
    for (const question of ['Lines of a trace', 'Errors by message', 'Requests by route']) {
      expect(new Set(asked(question).map((group) => JSON.stringify(group))).size).toBe(functions.length);
    }
    expect(asked('Failed workflows')).toHaveLength(count('AWS::StepFunctions::StateMachine'));
    expect(new Set(queries.map(({ Name }) => Name)).size).toBe(queries.length);
  });
});
