import { createPublicKey, X509Certificate } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { serverCertificate } from '../../../local/postgres/certificates.ts';
import { integer, oid, tagged } from '../../../local/postgres/der.ts';
import { Sandbox } from './support.ts';

const names = ['localhost', '127.0.0.1', '127.0.0.2', '::1'];
let sandbox: Sandbox;

beforeEach(async () => {
  sandbox = await Sandbox.create();
});
afterEach(() => sandbox.dispose());

const make = (wanted: readonly string[] = names) => serverCertificate(join(sandbox.directory, 'tls'), wanted);

describe('the certificate of the endpoints', () => {
  it('is issued by the authority, for all names and no others', async () => {
    const { authority, certificate } = await make();
    const [issuer, server] = [new X509Certificate(authority), new X509Certificate(certificate)];
    expect(server.checkIssued(issuer)).toBe(true);
    expect(server.verify(issuer.publicKey)).toBe(true);
    expect(issuer.verify(issuer.publicKey)).toBe(true);
    expect([issuer.ca, server.ca]).toEqual([true, false]);
    expect(server.checkHost('localhost')).toBe('localhost');
    for (const address of names.slice(1)) expect(server.checkIP(address)).toBe(address);
    expect(server.checkHost('example.com')).toBeUndefined();
    expect(server.checkIP('127.0.0.3')).toBeUndefined();
  });

  it('stays the same, until its names change; the authority stays even then', async () => {
    const first = await make();
    expect(await make()).toEqual(first);
    const wider = await make([...names, 'db.localhost']);
    expect(wider.authority).toBe(first.authority);
    expect(new X509Certificate(wider.certificate).checkHost('db.localhost')).toBe('db.localhost');
  });

  it.each(['ca.crt', 'ca.key', 'server.crt', 'server.key'])(
    'is made anew when %s is damaged',
    async (name) => {
      await make();
      const file = join(sandbox.directory, 'tls', name);
      await chmod(file, 0o600);
      await writeFile(file, (await readFile(file, 'utf8')).slice(0, 100));
      const { authority, certificate } = await make();
      expect(new X509Certificate(certificate).verify(createPublicKey(authority))).toBe(true);
    },
  );
});

describe('DER', () => {
  it('encodes integers without superfluous or missing sign bytes', () => {
    const check = (value: bigint) => {
      const hex = value.toString(16);
      const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
      const encoded = integer(bytes);
      const content = encoded.subarray(encoded.length - (encoded[1] ?? 0));
      expect(BigInt(`0x${content.toString('hex')}`)).toBe(value);
      expect((content[0] ?? 0) < 0x80).toBe(true);
      if (content.length > 1) expect(content[0] !== 0 || (content[1] ?? 0) >= 0x80).toBe(true);
    };
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 900n }), check));
  });

  it.each([
    [0, '3000'],
    [127, `307f${'00'.repeat(127)}`],
    [128, `308180${'00'.repeat(128)}`],
    [256, `30820100${'00'.repeat(256)}`],
  ])('encodes a length of %d', (length, hex) => {
    expect(tagged(0x30, Buffer.alloc(length)).toString('hex')).toBe(hex);
  });

  it('encodes object identifiers', () => {
    expect(oid('1.2.840.10045.4.3.2').toString('hex')).toBe('06082a8648ce3d040302');
    expect(oid('2.5.29.17').toString('hex')).toBe('0603551d11');
  });
});
