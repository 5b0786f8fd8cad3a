import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Signer } from '@aws-sdk/rds-signer';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { encodeRfc3986 } from '../../../local/aws/canonical-request.ts';
import { CredentialStore, type Credentials } from '../../../local/aws/credentials.ts';
import { verifyRdsToken } from '../../../local/aws/rds-token.ts';
import { readSignature, SignatureError, verifySignature } from '../../../local/aws/sigv4.ts';
import { testRole } from './emulated-aws.ts';

const directory = mkdtempSync(join(tmpdir(), 'mainstay-sigv4-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const store = CredentialStore.open(directory);

interface Request {
  path: string;
  query: Record<string, string | string[]>;
  headers: Record<string, string>;
  body: string;
}

const signerFor = (service: string, credentials: Credentials = store.forRole(testRole)) =>
  new SignatureV4({
    service,
    region: 'us-east-1',
    credentials,
    sha256: Sha256,
    uriEscapePath: service !== 's3',
  });

const toSign = (request: Request) => ({
  method: 'PUT',
  protocol: 'http:',
  hostname: 'localhost',
  ...request,
  headers: { host: 'localhost:1', ...request.headers },
});

/** The request as it arrives. */
function onWire(request: Pick<Request, 'path' | 'query' | 'headers'>) {
  const query = Object.entries(request.query)
    .flatMap(([name, values]) =>
      [values].flat().map((value) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`),
    )
    .join('&');
  return {
    method: 'PUT',
    url: query ? `${request.path}?${query}` : request.path,
    rawHeaders: Object.entries(request.headers).flat(),
  };
}

function verify(arrived: ReturnType<typeof onWire>, now?: number) {
  const claim = readSignature(arrived);
  if (!claim) throw new Error('no signature');
  return verifySignature(arrived, claim, store, undefined, now);
}

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
const segments = fc.array(
  text.filter((segment) => segment !== '.' && segment !== '..'),
  { maxLength: 4 },
);
const request = fc.record({
  path: segments.map((parts) => `/${parts.map(encodeRfc3986).join('/')}`),
  query: fc.dictionary(
    fc.stringMatching(/^[a-z+ ~!%-]{1,8}$/),
    fc.oneof(text, fc.array(text, { maxLength: 3 })),
    {
      maxKeys: 4,
    },
  ),
  headers: fc.dictionary(fc.stringMatching(/^x-amz-meta-[a-z]{1,5}$/), fc.stringMatching(/^[ -~]{0,20}$/)),
  body: fc.string(),
});
const service = fc.constantFrom('s3', 'lambda');

describe('a signature', () => {
  it('made by the SDK’s signer holds for any path, query, header and body', async () => {
    await fc.assert(
      fc.asyncProperty(request, service, async (given, name) => {
        const signed = await signerFor(name).sign(toSign(given));
        const { principal } = verify(onWire({ ...given, headers: signed.headers }));
        expect(principal).toMatchObject({ kind: 'role', roleArn: testRole });
      }),
    );
  });

  it('holds for nothing but the request it was made for', async () => {
    const given: Request = {
      path: '/bucket/key',
      query: { versionId: '1' },
      headers: { 'x-amz-acl': 'private' },
      body: 'x',
    };
    const { headers } = await signerFor('s3').sign(toSign(given));
    const changes: [object, string][] = [
      [{ path: '/bucket/other' }, 'mismatch'],
      [{ query: { versionId: '2' } }, 'mismatch'],
      [{ headers: { ...headers, 'x-amz-acl': 'public-read' } }, 'mismatch'],
      [{ headers: { ...headers, host: 'elsewhere' } }, 'mismatch'],
      [{ headers: { ...headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }, 'mismatch'],
      [{ headers: { ...headers, 'x-amz-copy-source': '/secret/key' } }, 'unsigned-headers'],
      [{ headers: { ...headers, 'x-amz-security-token': 'x.y' } }, 'unknown-key'],
    ];
    const attempt = (change: object) => () => verify(onWire({ ...given, headers, ...change }));
    expect(attempt({})).not.toThrow();
    for (const [change, fault] of changes)
      expect(attempt(change)).toThrow(expect.objectContaining({ fault }));
  });

  it.each([
    [-16, 'skewed'],
    [-14, undefined],
    [14, undefined],
    [16, 'skewed'],
  ])('made %d minutes away is %s', async (minutes, fault) => {
    const given: Request = { path: '/', query: {}, headers: {}, body: '' };
    const { headers } = await signerFor('s3').sign(toSign(given));
    const attempt = () => verify(onWire({ ...given, headers }), Date.now() + minutes * 60_000);
    if (fault) expect(attempt).toThrow(expect.objectContaining({ fault }));
    else expect(attempt).not.toThrow();
  });

  it('in a URL holds until it expires', async () => {
    const unsigned = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
    const given: Request = { path: '/bucket/key', query: {}, headers: unsigned, body: '' };
    const { query, headers } = await signerFor('s3').presign(toSign(given), { expiresIn: 3600 });
    const attempt =
      (seconds: number, change: object = {}) =>
      () =>
        verify(
          onWire({ path: given.path, headers, query: { ...Object(query), ...change } }),
          Date.now() + seconds * 1000,
        );
    expect(attempt(3590)).not.toThrow();
    expect(attempt(3610)).toThrow(expect.objectContaining({ fault: 'url-expired' }));
    expect(attempt(0, { 'X-Amz-Expires': '604800' })).toThrow(expect.objectContaining({ fault: 'mismatch' }));
    expect(attempt(0, { 'X-Amz-Expires': '604801' })).toThrow(
      expect.objectContaining({ fault: 'malformed' }),
    );
    expect(attempt(0, { extra: '1' })).toThrow(expect.objectContaining({ fault: 'mismatch' }));
  });

  it.each([
    ['Bearer token'],
    ['AWS4-HMAC-SHA256 Credential=a/b/c'],
    ['AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/s3/aws4_request, SignedHeaders=host'],
    ['AWS4-HMAC-SHA256'],
  ])('in the form "%s" is malformed, not a crash', (authorization) => {
    const rawHeaders = ['host', 'h', 'authorization', authorization, 'x-amz-date', '20260101T000000Z'];
    expect(() => readSignature({ method: 'GET', url: '/', rawHeaders })).toThrow(SignatureError);
    expect(() => readSignature({ method: 'GET', url: '/%zz', rawHeaders: [] })).toThrow(SignatureError);
  });

  it('that is not there is none', () => {
    expect(readSignature({ method: 'GET', url: '/', rawHeaders: ['host', 'h'] })).toBeUndefined();
  });
});

describe('credentials', () => {
  it('stay the same across restarts, per role and session, in a file of their owner only', () => {
    const again = CredentialStore.open(directory);
    expect(again.operator()).toEqual(store.operator());
    expect(again.forRole(testRole)).toEqual(store.forRole(testRole));
    expect(again.forRole(testRole, 'other')).not.toEqual(store.forRole(testRole));
    expect(statSync(join(directory, 'credentials.json')).mode & 0o777).toBe(0o600);
    const elsewhere = CredentialStore.open(mkdtempSync(join(directory, 'other-')));
    expect(elsewhere.operator()).not.toEqual(store.operator());
  });

  it('cannot be forged by changing whose they are', () => {
    const { accessKeyId, sessionToken = '' } = store.forRole(testRole);
    const [payload = '', mac] = sessionToken.split('.');
    const admin = Buffer.from(payload, 'base64url').toString().replace('test-role', 'admin-role');
    const forged = `${Buffer.from(admin).toString('base64url')}.${mac}`;
    expect(store.resolve(accessKeyId, forged)).toBeUndefined();
    expect(store.resolve(accessKeyId, sessionToken)).toBeDefined();
    expect(store.resolve(accessKeyId)).toBeUndefined();
    expect(store.resolve(store.operator().accessKeyId, sessionToken)).toBeUndefined();
  });
});

describe('a database token', () => {
  const token = (credentials = store.forRole(testRole)) =>
    new Signer({
      hostname: 'db.example',
      port: 5432,
      username: 'mainstay_backup',
      region: 'us-east-1',
      credentials,
    }).getAuthToken();

  it('names host, user and role', async () => {
    expect(verifyRdsToken(await token(), store)).toEqual({
      principal: expect.objectContaining({ kind: 'role', roleArn: testRole }),
      host: 'db.example',
      port: 5432,
      user: 'mainstay_backup',
      region: 'us-east-1',
    });
  });

  it('is refused when changed, expired, or no token at all', async () => {
    const made = await token();
    const refused: [string, number, string][] = [
      [made.replace('mainstay_backup', 'mainstay_restore'), 0, 'mismatch'],
      [made.replace('db.example', 'db2.example'), 0, 'mismatch'],
      [made, 901, 'url-expired'],
      [made.replace('X-Amz-Expires=900', 'X-Amz-Expires=90000'), 0, 'malformed'],
      [made.replaceAll('rds-db', 's3'), 0, 'malformed'],
      ['a password', 0, 'malformed'],
      ['db.example:5432/?Action=connect&DBUser=mainstay_backup', 0, 'missing'],
    ];
    for (const [changed, seconds, fault] of refused) {
      const attempt = () => verifyRdsToken(changed, store, Date.now() + seconds * 1000);
      expect(attempt).toThrow(expect.objectContaining({ fault }));
    }
  });
});
