import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { referencedIds, resolve, type Scope } from '../../../local/assembly/intrinsics.ts';

const scope: Scope = {
  region: 'us-east-1',
  accountId: '000000000000',
  stackName: 'example',
  mappings: { Sizes: { dev: { memory: 128 } } },
  conditions: {
    IsDev: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] },
    IsNotDev: { 'Fn::Not': [{ Condition: 'IsDev' }] },
  },
  ref: (id) => (id === 'Stage' ? 'dev' : `ref-${id}`),
  attribute: (id, name) => `${id}.${name}`,
  importValue: (name) => `import-${name}`,
  stackOutput: (stack, output) => `${stack}/${output}`,
};

describe('resolving intrinsic functions', () => {
  it.each<[string, unknown, unknown]>([
    ['Ref', { Ref: 'Bucket' }, 'ref-Bucket'],
    ['pseudo parameters', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['GetAtt as a list', { 'Fn::GetAtt': ['Key', 'Arn'] }, 'Key.Arn'],
    ['GetAtt as text', { 'Fn::GetAtt': 'Cluster.Endpoint.Address' }, 'Cluster.Endpoint.Address'],
    [
      'Join of resolved parts',
      { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3']] },
      'arn:aws:s3',
    ],
    [
      'Sub with references, attributes and own variables',
      { 'Fn::Sub': ['${A}-${Table}-${Table.Arn}-${AWS::Region}-${!literal}', { A: { Ref: 'X' } }] },
      'ref-X-ref-Table-Table.Arn-us-east-1-${literal}',
    ],
    ['Select out of Split', { 'Fn::Select': [1, { 'Fn::Split': ['/', 'a/b/c'] }] }, 'b'],
    ['If by a condition', { 'Fn::If': ['IsDev', 'small', 'large'] }, 'small'],
    ['If by a negated condition', { 'Fn::If': ['IsNotDev', 'large', 'small'] }, 'small'],
    ['FindInMap', { 'Fn::FindInMap': ['Sizes', 'dev', 'memory'] }, 128],
    ['ImportValue', { 'Fn::ImportValue': 'name' }, 'import-name'],
    ['GetStackOutput', { 'Fn::GetStackOutput': { StackName: 's', OutputName: 'o' } }, 's/o'],
  ])('resolves %s', (_, value, expected) => {
    expect(resolve(value, scope)).toEqual(expected);
  });

  it('leaves out properties and list items that are AWS::NoValue', () => {
    const value = {
      kept: 1,
      gone: { 'Fn::If': ['IsDev', { Ref: 'AWS::NoValue' }, 'x'] },
      items: [{ Ref: 'AWS::NoValue' }, 2],
    };
    expect(resolve(value, scope)).toEqual({ kept: 1, items: [2] });
  });

  it('refuses an intrinsic function it does not know, by name', () => {
    expect(() => resolve({ a: { 'Fn::Transform': {} } }, scope)).toThrow('Fn::Transform');
  });

  it('leaves values without intrinsic functions as they are', () => {
    const plain = fc.jsonValue().filter((value) => !/"(Ref|Condition|Fn::)/.test(JSON.stringify(value)));
    fc.assert(fc.property(plain, (value) => expect(resolve(value, scope)).toEqual(value)));
  });
});

describe('finding what a value refers to', () => {
  it('sees Ref, GetAtt and Sub at any depth', () => {
    const value = {
      a: [{ Ref: 'One' }, { b: { 'Fn::GetAtt': ['Two', 'Arn'] } }],
      c: { 'Fn::Sub': ['${Three}/${Four.Arn}/${!Not}', { x: { Ref: 'Five' } }] },
      d: { 'Fn::GetAtt': 'Six.Arn' },
    };
    expect([...referencedIds(value)].sort()).toEqual(['Five', 'Four', 'One', 'Six', 'Three', 'Two']);
  });
});
