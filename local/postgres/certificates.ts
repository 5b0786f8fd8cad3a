import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  X509Certificate,
} from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { bits, integer, octets, oid, sequence, set, tagged, text, time, yes } from './der.ts';

const dayMs = 86_400_000;
/** Certificates are made anew when they end sooner than this, in days. */
const renewalDays = 30;
const authorityDays = 3650;
const serverDays = 825;
/** Clocks of containers and hosts differ a little. */
const backdatedDays = 1;

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));

/** A server's certificate with its key, and the authority that clients have to trust. */
export interface ServerCertificate {
  /** PEM of the authority's certificate. */
  authority: string;
  /** Path of the same, for `NODE_EXTRA_CA_CERTS` and `sslrootcert`. */
  authorityFile: string;
  certificate: string;
  key: string;
}

/**
 * The certificate of the database endpoints, issued by a local authority that is kept in the
 * directory (keys with mode 0600). Both are made when missing, when they end within 30 days, or when
 * the server's names have changed; the authority stays the same as long as it can.
 *
 * @param names DNS names and IP addresses the certificate is for.
 */
export async function serverCertificate(
  directory: string,
  names: readonly string[],
): Promise<ServerCertificate> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const authority = await storedPair(directory, 'ca', isCurrent, () => makeAuthority());
  const fits = (certificate: X509Certificate) =>
    isCurrent(certificate) &&
    certificate.verify(createPublicKey(authority.certificate)) &&
    names.every(
      (name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined,
    );
  const server = await storedPair(directory, 'server', fits, () => makeServer(authority, names));
  return {
    authority: authority.certificate,
    authorityFile: join(directory, 'ca.crt'),
    certificate: server.certificate,
    key: server.key,
  };
}

interface Pair {
  certificate: string;
  key: string;
}

async function storedPair(
  directory: string,
  name: string,
  isGood: (certificate: X509Certificate) => boolean,
  make: () => Pair,
): Promise<Pair> {
  const [certificateFile, keyFile] = [join(directory, `${name}.crt`), join(directory, `${name}.key`)];
  try {
    const [certificate, key] = [await readFile(certificateFile, 'utf8'), await readFile(keyFile, 'utf8')];
    const parsed = new X509Certificate(certificate);
    if (parsed.checkPrivateKey(createPrivateKey(key)) && isGood(parsed)) return { certificate, key };
  } catch {
    // Missing, or half written when the runtime was killed: made anew.
  }
  const pair = make();
  await replace(keyFile, pair.key, 0o600);
  await replace(certificateFile, pair.certificate, 0o644);
  return pair;
}

async function replace(path: string, content: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, content, { mode });
  await rename(`${path}.new`, path);
}

function isCurrent(certificate: X509Certificate): boolean {
  return certificate.validToDate.getTime() > Date.now() + renewalDays * dayMs;
}

function makeAuthority(): Pair {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // Random, so that the authorities of two checkouts are not taken for one another.
  const subject = commonName(`Mainstay local authority ${randomBytes(4).toString('hex')}`);
  const extensions = [
    extension('2.5.29.19', sequence(yes), true),
    // keyCertSign and cRLSign.
    extension('2.5.29.15', bits(Buffer.of(0x06), 1), true),
    extension('2.5.29.14', octets(keyIdentifier(keys.publicKey))),
  ];
  return {
    certificate: issue({ subject, issuer: subject, days: authorityDays, extensions, ...keys }),
    key: pem(keys.privateKey),
  };
}

function makeServer(authority: Pair, names: readonly string[]): Pair {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const extensions = [
    extension('2.5.29.19', sequence(), true),
    // digitalSignature.
    extension('2.5.29.15', bits(Buffer.of(0x80), 7), true),
    extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', sequence(...names.map(alternativeName))),
    extension('2.5.29.35', sequence(tagged(0x80, keyIdentifier(createPublicKey(authority.certificate))))),
  ];
  const issuer = subjectOf(new X509Certificate(authority.certificate));
  const certificate = issue({
    subject: commonName(names[0] ?? 'localhost'),
    issuer,
    days: serverDays,
    extensions,
    publicKey: keys.publicKey,
    privateKey: createPrivateKey(authority.key),
  });
  return { certificate, key: pem(keys.privateKey) };
}

interface Issue {
  subject: Buffer;
  issuer: Buffer;
  days: number;
  extensions: Buffer[];
  publicKey: KeyObject;
  /** The issuer's. */
  privateKey: KeyObject;
}

function issue({ subject, issuer, days, extensions, publicKey, privateKey }: Issue): string {
  const now = Date.now();
  const serial = randomBytes(16);
  const toBeSigned = sequence(
    tagged(0xa0, integer(Buffer.of(2))),
    integer(serial),
    ecdsaWithSha256,
    issuer,
    sequence(time(new Date(now - backdatedDays * dayMs)), time(new Date(now + days * dayMs))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const certificate = sequence(toBeSigned, ecdsaWithSha256, bits(sign('sha256', toBeSigned, privateKey)));
  const lines = certificate.toString('base64').replace(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return sequence(oid(id), critical ? yes : Buffer.alloc(0), octets(value));
}

function commonName(name: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), text(name))));
}

function subjectOf(certificate: X509Certificate): Buffer {
  return commonName(certificate.subject.replace(/^CN=/, ''));
}

function alternativeName(name: string): Buffer {
  if (isIP(name) === 4) return tagged(0x87, Buffer.from(name.split('.').map(Number)));
  // The one address of IPv6 that a local server has.
  if (name === '::1') return tagged(0x87, Buffer.from([...Array<number>(15).fill(0), 1]));
  return tagged(0x82, Buffer.from(name, 'ascii'));
}

function keyIdentifier(key: KeyObject): Buffer {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
    .subarray(0, 20);
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
