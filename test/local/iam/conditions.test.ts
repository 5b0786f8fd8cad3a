import { describe, expect, it } from '@jest/globals';
import { parseCondition } from '../../../local/iam/conditions.ts';

const holds = (operator: string, key: string, policy: string[], request?: string[]) =>
  parseCondition(operator, key, policy)(new Map(request === undefined ? [] : [[key.toLowerCase(), request]]));

const prefix = 's3:prefix';
const many = 'kms:EncryptionContextKeys';

describe('a condition', () => {
  it.each<[string, string, string[], string[] | undefined, boolean]>([
    ['StringEquals', prefix, ['a', 'b'], ['b'], true],
    ['StringEquals', prefix, ['a'], ['A'], false],
    ['StringEquals', prefix, ['a'], undefined, false],
    ['StringEqualsIfExists', prefix, ['a'], undefined, true],
    ['StringEqualsIfExists', prefix, ['a'], ['b'], false],
    ['StringNotEquals', prefix, ['a', 'b'], ['c'], true],
    ['StringNotEquals', prefix, ['a', 'b'], ['b'], false],
    ['StringNotEquals', prefix, ['a'], undefined, true],
    ['StringEqualsIgnoreCase', prefix, ['a'], ['A'], true],
    ['StringLike', prefix, ['a*/?'], ['abc/d'], true],
    ['StringLike', prefix, ['a*'], ['b'], false],
    ['StringNotLike', prefix, ['a*'], ['b'], true],
    ['ArnLike', 'aws:SourceArn', ['arn:aws:s3:::*'], ['arn:aws:s3:::bucket'], true],
    [
      'ArnEquals',
      'aws:SourceArn',
      ['arn:aws:lambda:*:*:function:f'],
      ['arn:aws:lambda:us-east-1:1:function:f'],
      true,
    ],
    ['ArnNotLike', 'aws:SourceArn', ['arn:aws:s3:::*'], ['arn:aws:s3:::bucket'], false],
    ['Bool', 'aws:SecureTransport', ['false'], ['true'], false],
    ['Bool', 'aws:SecureTransport', ['true'], ['true'], true],
    ['Null', prefix, ['true'], undefined, true],
    ['Null', prefix, ['true'], ['a'], false],
    ['Null', prefix, ['false'], ['a'], true],
    ['NumericLessThan', 's3:max-keys', ['10'], ['9'], true],
    ['NumericLessThan', 's3:max-keys', ['10'], ['10'], false],
    ['NumericLessThanEquals', 's3:max-keys', ['10'], ['10'], true],
    ['NumericGreaterThan', 's3:max-keys', ['10'], ['9'], false],
    ['NumericEquals', 's3:max-keys', ['10'], ['10.0'], true],
    ['NumericNotEquals', 's3:max-keys', ['10'], ['11'], true],
    ['DateLessThan', 'aws:CurrentTime', ['2030-01-01T00:00:00Z'], ['2026-01-01T00:00:00Z'], true],
    ['DateGreaterThanEquals', 'aws:EpochTime', ['2030-01-01'], ['1767225600'], false],
    ['ForAnyValue:StringEquals', many, ['a'], ['a', 'b'], true],
    ['ForAnyValue:StringEquals', many, ['c'], ['a', 'b'], false],
    ['ForAnyValue:StringEquals', many, ['a'], undefined, false],
    ['ForAnyValue:StringNotEquals', many, ['a'], ['a', 'b'], true],
    ['ForAllValues:StringEquals', many, ['a', 'b', 'c'], ['a', 'b'], true],
    ['ForAllValues:StringEquals', many, ['a'], ['a', 'b'], false],
    ['ForAllValues:StringEquals', many, ['a'], undefined, true],
    ['ForAllValues:StringNotEquals', many, ['c'], ['a', 'b'], true],
    ['ForAllValues:StringLike', 'dynamodb:LeadingKeys', ['a#*', 'b#*'], ['a#1', 'b#1'], true],
    ['ForAllValues:StringLike', 'dynamodb:LeadingKeys', ['a#*', 'b#*'], ['a#1', 'c#1'], false],
    ['ForAllValues:StringLike', 'dynamodb:LeadingKeys', ['a#*'], ['A#1'], false],
    ['ForAllValues:StringLike', 'dynamodb:LeadingKeys', ['a#*'], undefined, true],
  ])('%s %s %j holds for %j: %s', (operator, key, policy, request, expected) => {
    expect(holds(operator, key, policy, request)).toBe(expected);
  });

  it.each([
    ['IpAddress', prefix, ['10.0.0.0/8'], /condition operator IpAddress/],
    ['toString', prefix, ['a'], /condition operator toString/],
    ['ForSomeValues:StringEquals', prefix, ['a'], /condition operator ForSomeValues/],
    ['StringEquals', 'aws:PrincipalOrgID', ['o'], /condition key aws:PrincipalOrgID/],
    ['StringEquals', 'kms:EncryptionContext:', ['o'], /condition key kms:EncryptionContext:/],
    ['NumericEquals', 's3:max-keys', ['ten'], /compares numbers/],
    ['DateLessThan', 'aws:CurrentTime', ['soon'], /compares dates/],
  ])('%s on %s is refused by name when it is not known', (operator, key, values, message) => {
    expect(() => parseCondition(operator, key, values)).toThrow(message);
  });
});
