import { statSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { contracts } from '../../functions/contracts.ts';
import { maxShards } from '../../lib/config/data.ts';
import { bundleFunctions } from '../../lib/constructs/bundle.ts';
import { namesIn, policySizes } from './limits.ts';
import { synthesizeUnchecked, variableBytes } from './support.ts';
import { circleIn, functionsOf } from './template.ts';

/** Everything that an environment can have. */
const everything = {
  profile: 'production',
  region: 'eu-central-1',
  standby: { region: 'eu-west-1' },
  edge: {
    domains: ['www.example.com'],
    hostedZone: { id: 'Z0123456789EXAMPLE', name: 'example.com' },
  },
  alarms: { emails: ['ops@example.com'] },
};
const blue = synthesizeUnchecked('blue', everything);
const green = synthesizeUnchecked('green', everything);

describe('A deployment', () => {
  it.each([...blue.stacks])(
    'is not held up by resources that wait for each other: %s',
    (_, { resources }) => {
      expect(circleIn(resources)).toEqual([]);
    },
  );

  it.each([...blue.stacks])('locks no value that another stack uses: %s', (_, { template, resources }) => {
    const outputs = Object.values(template.findOutputs('*'));
    expect(outputs.filter((output) => 'Export' in output)).toEqual([]);
    expect(JSON.stringify(resources)).not.toContain('Fn::ImportValue');
  });

  it('reads values only of stacks that are deployed before', () => {
    blue.names.forEach((name, index) => {
      const text = JSON.stringify(blue.stack(name).resources);
      const read = [...text.matchAll(/"StackName":"Mainstay-blue-(\w+)"/g)].map(([, from]) => from ?? '');
      expect(blue.names.slice(0, index)).toEqual(expect.arrayContaining([...new Set(read)]));
    });
  });

  it.each([...blue.stacks])(
    'fits what CloudFormation takes of one stack: %s',
    (_, { template, resources }) => {
      expect(Object.keys(resources).length).toBeLessThanOrEqual(450);
      expect(Object.keys(template.findOutputs('*')).length).toBeLessThanOrEqual(200);
      expect(JSON.stringify(template.toJSON()).length).toBeLessThan(900_000);
    },
  );
});

describe('Two environments of one account', () => {
  it('have no name in common', () => {
    for (const [name, { resources }] of blue.stacks) {
      const others = new Set(namesIn(green.stack(name).resources));
      expect(namesIn(resources).filter((found) => others.has(found))).toEqual([]);
    }
  });

  it('have names that say whose they are', () => {
    const names = [...blue.stacks.values()].flatMap(({ resources }) => namesIn(resources));
    expect(names.length).toBeGreaterThan(25);
    expect(names.filter((name) => !name.includes('blue'))).toEqual([]);
  });
});

describe('As many shards as the configuration allows', () => {
  const { platform, stacks } = synthesizeUnchecked('dev', {
    lambdaConcurrency: 1000,
    shards: Array.from({ length: maxShards }, (_, index) => ({ name: `shard-${index}` })),
  });

  it('fit into the stacks', () => {
    for (const { resources, template } of stacks.values()) {
      expect(Object.keys(resources).length).toBeLessThanOrEqual(500);
      expect(JSON.stringify(template.toJSON()).length).toBeLessThan(1_000_000);
    }
  });

  it('leave each role below the 10 240 characters that IAM takes of its policies', () => {
    for (const [role, size] of policySizes(platform.resources))
      expect([role, size < 10_240]).toEqual([role, true]);
  });

  it('leave each function below the 4 KB that Lambda takes of its variables', () => {
    for (const [name, { variables }] of functionsOf(platform.resources)) {
      expect([name, variableBytes(variables) < 4096]).toEqual([name, true]);
    }
  });
});

describe('The code of a function', () => {
  const bundles = bundleFunctions(contracts);
  const functions = contracts.flatMap(({ name, functions }) =>
    Object.keys(functions).map((fn): [string, string] => [name, fn]),
  );

  it.each(functions)('is far from the 250 MB that Lambda takes: %s/%s', async (capability, fn) => {
    const directory = bundles.directory(capability, fn);
    const files = await readdir(directory, { recursive: true });
    const bytes = files.reduce((sum, file) => sum + statSync(join(directory, file)).size, 0);
    expect(bytes).toBeGreaterThan(1000);
    // What a cold start has to fetch and read; more than this is a mistake in an import.
    expect(bytes).toBeLessThan(25_000_000);
  });
});
