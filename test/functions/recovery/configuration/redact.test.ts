import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { redact, redacted } from '../../../../functions/recovery/configuration/redact.ts';

/** Secrets that are known by their form, of random content. */
const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((a) => Buffer.from(a));
const base64 = bytes(32).map((b) => b.toString('base64url'));
const byForm: fc.Arbitrary<string> = fc.oneof(
  base64.map((text) => `msk_k7q2mzt4_${text}`),
  bytes(24).map((b) => `whsec_${b.toString('base64')}`),
  bytes(16).map((b) => `AKIA${b.toString('hex').toUpperCase().slice(0, 16)}`),
  bytes(48).map(
    (b) => `-----BEGIN RSA PRIVATE KEY-----\n${b.toString('base64')}\n-----END RSA PRIVATE KEY-----`,
  ),
  fc
    .tuple(bytes(12), bytes(24), bytes(32))
    .map((all) => `eyJ${all.map((b) => b.toString('base64url')).join('.')}`),
  bytes(6).map((b) => `postgres://app:${b.toString('hex')}@db.internal:5432/platform`),
  bytes(6).map((b) => `host=db;user=app;Password=${b.toString('hex')};timeout=5`),
  bytes(6).map((b) => `--password ${b.toString('hex')}`),
);
/** Secrets that are only long and random. */
const random: fc.Arbitrary<string> = fc
  .constantFrom<BufferEncoding>('hex', 'base64', 'base64url')
  .map((encoding) => randomBytes(32).toString(encoding));

/** Each has once got through. */
const gotThrough = ['g/Osh6YmTRSV+j/bXbCLjrTDR7I0E/8lvgIi1dQVfyU='];

type Encoding = (text: string) => string;
const encodings: Encoding[] = [
  (text) => text,
  (text) => Buffer.from(text).toString('base64'),
  (text) => Buffer.from(text).toString('base64url'),
  (text) => Buffer.from(text).toString('hex'),
  (text) => encodeURIComponent(text),
  (text) => [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  (text) => JSON.stringify(text),
  (text) => JSON.stringify({ settings: [{ deep: text }] }),
  (text) => `before ${text} after`,
  (text) => Buffer.from(JSON.stringify({ inner: text })).toString('base64'),
];
const encoded = (secret: fc.Arbitrary<string>) =>
  fc
    .tuple(secret, fc.array(fc.constantFrom(...encodings), { minLength: 0, maxLength: 3 }))
    .map(([text, steps]) => ({ secret: text, planted: steps.reduce((value, step) => step(value), text) }));

/** Puts a value somewhere into a random structure, as a value or as a name. */
const within = (planted: fc.Arbitrary<string>) =>
  fc
    .tuple(
      planted,
      fc.array(fc.constantFrom('list', 'object', 'text', 'name'), { maxLength: 5 }),
      fc.jsonValue({ maxDepth: 2 }),
    )
    .map(([text, path, beside]) =>
      path.reduce<unknown>((value, step, index) => {
        if (step === 'list') return [beside, value];
        if (step === 'text') return JSON.stringify(value);
        if (step === 'name' && typeof value === 'string' && index === 0) return { [value]: beside };
        return { beside, [`member${index}`]: value };
      }, text),
    );

const leaks = (value: unknown, secret: string): boolean =>
  JSON.stringify(redact(value).value).includes(secret);

describe('the rule by which secrets are left out', () => {
  it('leaves out what has the form of one, wherever and however encoded it is', () => {
    fc.assert(
      fc.property(
        encoded(byForm).chain(({ planted }) =>
          within(fc.constant(planted)).map((value) => ({ planted, value })),
        ),
        ({ planted, value }) => {
          const result = redact(value);
          expect(result.count).toBeGreaterThan(0);
          expect(leaks(value, planted.slice(0, 200))).toBe(false);
        },
      ),
      { numRuns: 400 },
    );
  });

  it.each(gotThrough)('leaves out %s', (text) => {
    expect(redact({ value: text }).value).toEqual({ value: redacted });
  });

  it('leaves out long random text', () => {
    fc.assert(
      fc.property(
        random.chain((text) => within(fc.constant(text)).map((value) => ({ text, value }))),
        ({ text, value }) => {
          expect(leaks(value, text)).toBe(false);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('leaves out whatever stands under a name that says so, in any case and however its words are joined', () => {
    const names = fc
      .tuple(
        fc.constantFrom('db', 'smtp', 'x', 'my'),
        fc.constantFrom(
          'password',
          'passwd',
          'secret',
          'token',
          'apikey',
          'api_key',
          'private-key',
          'credentials',
          'passphrase',
        ),
        fc.constantFrom('', '_', '-', '.', '/'),
      )
      .chain(([before, name, joint]) => mixedCase(`${before}${joint}${name}`));
    fc.assert(
      fc.property(names, fc.constantFrom('hunter2', 7_391, ['a', 'b'], { a: 'c' }), (name, value) => {
        expect(redact({ [name]: value }).value).toEqual({ [name]: redacted });
        expect(redact([{ Name: name, Value: 'hunter2' }]).value).toEqual([{ Name: name, Value: redacted }]);
        expect(redact([name, 'hunter2']).value).toEqual([name, redacted]);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves out a secret whose case was changed', () => {
    const secret = 'whsec_C2FVsBQIhrscChlQIMV9yW2lQ4Xk';
    fc.assert(
      fc.property(mixedCase(secret), (text) => {
        expect(redact({ value: text }).value).toEqual({ value: redacted });
      }),
    );
  });

  it('leaves alone what is no secret', () => {
    const settings = {
      id: '01K9Z3V5Q0J8X7N2T4R6M1C9HB',
      uuid: '5f1c3b0e-0d4e-4a5b-9c1d-2e3f4a5b6c7d',
      arn: 'arn:aws:kms:eu-central-1:123456789012:key/5f1c3b0e-0d4e-4a5b-9c1d-2e3f4a5b6c7d',
      resourceId: 'cluster-ABCDEFGHIJKLMNOPQRSTUVWX12',
      host: 'mainstay-dev-shard-a.cluster-cq1abc2def3g.eu-central-1.rds.amazonaws.com',
      schedule: 'cron(0 2 * * ? *)',
      url: 'https://hooks.example.com/mainstay/events?kind=all',
      scopes: ['recovery:read', 'admin'],
      description: 'Concurrent executions that a running backup leaves to the API',
      secretArn: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:admin',
      secretVersion: 3,
      createdAt: '2026-11-21T03:00:00.000Z',
      limits: { perMinute: 100, bucketSize: 20 },
      networks: ['192.0.2.0/24', '2001:db8::/64'],
      nothing: null,
      password: '',
      hasPassword: true,
      path: '/mainstay/production/configuration/shards/shard-a',
      json: '{"instanceClass":"db.r8g.large","readers":2}',
    };
    expect(redact(settings)).toEqual({ value: settings, count: 0 });
  });

  it('leaves nesting out that has no end in sight, and never a value under another’s name', () => {
    let deep: unknown = 'x';
    for (let level = 0; level < 100; level++) deep = [deep];
    expect(redact(deep).count).toBe(1);
    const digest = createHash('sha256').update('x').digest('hex');
    const result = redact({ [digest]: 1, [`${digest}0`]: 2 });
    expect(Object.values(Object(result.value))).toEqual([1, 2]);
    expect(JSON.stringify(result.value)).not.toContain(digest);
  });
});

const mixedCase = (text: string) =>
  fc
    .array(fc.boolean(), { minLength: text.length, maxLength: text.length })
    .map((upper) =>
      [...text].map((letter, at) => (upper[at] ? letter.toUpperCase() : letter.toLowerCase())).join(''),
    );
