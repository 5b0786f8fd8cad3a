import { describe, expect, it } from '@jest/globals';
import type { AssemblyStack } from '../../../local/assembly/assembly.ts';
import { physicalName, type ResourceHandler } from '../../../local/provision/resource.ts';
import { createStack, type StackEnvironment } from '../../../local/provision/stack.ts';

function stackOf(template: Partial<AssemblyStack['template']>): AssemblyStack {
  return {
    id: 'Example',
    name: 'example',
    template: { Parameters: {}, Mappings: {}, Conditions: {}, Resources: {}, Outputs: {}, ...template },
  };
}

function environmentWith(handlers: Record<string, ResourceHandler>): StackEnvironment {
  return {
    region: 'us-east-1',
    accountId: '000000000000',
    assembly: { stacks: [], assetPath: () => '' },
    handlerOf: (type) => handlers[type],
    parameter: (name) => (name === '/version' ? '21' : undefined),
    exports: new Map(),
    outputs: new Map(),
  };
}

const thing = (Properties: Record<string, unknown> = {}, more: object = {}) => ({
  Type: 'Test::Thing',
  Properties,
  ...more,
});

describe('creating a stack', () => {
  it('creates each resource after everything it refers to, and resolves what it refers to', async () => {
    const seen: Record<string, unknown> = {};
    const environment = environmentWith({
      'Test::Thing': async ({ logicalId, properties }) => {
        await new Promise(setImmediate);
        seen[logicalId] = properties;
        return { ref: `ref-${logicalId}`, attributes: { Arn: `arn-${logicalId}` } };
      },
    });
    const outputs = await createStack(
      stackOf({
        Parameters: { Version: { Type: 'AWS::SSM::Parameter::Value<String>', Default: '/version' } },
        Resources: {
          Last: thing({ middle: { 'Fn::GetAtt': ['Middle', 'Arn'] } }, { DependsOn: 'Aside' }),
          Middle: thing({ first: { Ref: 'First' }, version: { Ref: 'Version' } }),
          First: thing(),
          Aside: thing(),
        },
        Outputs: { Out: { Value: { Ref: 'Last' }, Export: { Name: 'exported' } } },
      }),
      environment,
    );
    expect(Object.keys(seen).indexOf('Last')).toBe(3);
    expect(seen).toMatchObject({
      Middle: { first: 'ref-First', version: '21' },
      Last: { middle: 'arn-Middle' },
    });
    expect(outputs).toEqual({ Out: 'ref-Last' });
    expect(environment.exports.get('exported')).toBe('ref-Last');
    expect(environment.outputs.get('example/Out')).toBe('ref-Last');
  });

  it('refuses resource types it does not know, all by name, before it creates anything', async () => {
    let created = 0;
    const environment = environmentWith({ 'Test::Thing': () => ({ ref: String(++created) }) });
    const stack = stackOf({ Resources: { A: thing(), B: { Type: 'AWS::Odd::One', Properties: {} } } });
    await expect(createStack(stack, environment)).rejects.toThrow('AWS::Odd::One');
    expect(created).toBe(0);
  });

  it('names the resource and its type when it cannot be created', async () => {
    const environment = environmentWith({
      'Test::Thing': () => {
        throw new Error('no room');
      },
    });
    await expect(createStack(stackOf({ Resources: { A: thing() } }), environment)).rejects.toThrow(
      'Test::Thing example/A: no room',
    );
  });

  it('names an attribute that a resource does not have', async () => {
    const environment = environmentWith({ 'Test::Thing': () => ({ ref: 'x' }) });
    const stack = stackOf({ Resources: { A: thing(), B: thing({ a: { 'Fn::GetAtt': ['A', 'Odd'] } }) } });
    await expect(createStack(stack, environment)).rejects.toThrow('Test::Thing has no attribute Odd');
  });

  it('refuses resources that depend on each other in a circle', async () => {
    const environment = environmentWith({ 'Test::Thing': () => ({ ref: 'x' }) });
    const stack = stackOf({
      Resources: { A: thing({ b: { Ref: 'B' } }), B: thing({}, { DependsOn: ['A'] }) },
    });
    await expect(createStack(stack, environment)).rejects.toThrow('circular dependency: A → B → A');
  });

  it('leaves out resources and outputs whose condition does not hold', async () => {
    const environment = environmentWith({ 'Test::Thing': ({ logicalId }) => ({ ref: logicalId }) });
    const stack = stackOf({
      Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
      Resources: { A: thing(), B: thing({}, { Condition: 'Never' }) },
      Outputs: { A: { Value: { Ref: 'A' } }, B: { Value: { Ref: 'B' }, Condition: 'Never' } },
    });
    expect(await createStack(stack, environment)).toEqual({ A: 'A' });
  });
});

describe('naming a resource that its template leaves unnamed', () => {
  it('gives the same name at every start, and another to every resource', () => {
    const name = physicalName({ stackName: 'example', logicalId: 'A' });
    expect(physicalName({ stackName: 'example', logicalId: 'A' })).toBe(name);
    expect(physicalName({ stackName: 'example', logicalId: 'B' })).not.toBe(name);
  });

  it('keeps long names within the limit and apart', () => {
    const names = ['A', 'B'].map((end) => physicalName({ stackName: 'x'.repeat(80), logicalId: end }, 32));
    expect(names.map((name) => name.length)).toEqual([32, 32]);
    expect(new Set(names).size).toBe(2);
  });
});
