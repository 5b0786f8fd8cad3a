import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { buildClient, CommitmentPolicy, KmsKeyringNode } from '@aws-crypto/client-node';
import { DecryptCommand, KMSClient } from '@aws-sdk/client-kms';

/*
 * A stand-in for aws-encryption-cli where it is not installed: of its options those that the page on restoring without
 * Mainstay uses, with the same effect. Like the original it ends with 0 when the encryption context is another.
 */

const { values, positionals } = parseArgs({
  options: {
    'decrypt-unsigned': { type: 'boolean' },
    'suppress-metadata': { type: 'boolean' },
    input: { type: 'string' },
    output: { type: 'string' },
    'wrapping-keys': { type: 'string' },
    'encryption-context': { type: 'string' },
    'commitment-policy': { type: 'string' },
    'max-encrypted-data-keys': { type: 'string' },
  },
  allowPositionals: true,
});
const key = values['wrapping-keys']?.replace(/^key=/, '') ?? '';
if (
  values['decrypt-unsigned'] !== true ||
  values['commitment-policy'] !== 'require-encrypt-require-decrypt'
) {
  throw new Error('This stand-in only decrypts as the page says.');
}

const kms = new KMSClient({ region: key.split(':')[3] ?? '' });
const refuse = () => Promise.reject(new Error('A reader encrypts nothing.'));
const keyring = new KmsKeyringNode({
  keyIds: [key],
  clientProvider: () => ({
    generateDataKey: refuse,
    encrypt: refuse,
    decrypt: async (input: { CiphertextBlob: Uint8Array; EncryptionContext?: Record<string, string> }) => {
      const { KeyId = '', Plaintext = new Uint8Array() } = await kms.send(new DecryptCommand(input));
      return { KeyId, Plaintext };
    },
  }),
});
const { decryptUnsignedMessageStream } = buildClient({
  commitmentPolicy: CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT,
  maxEncryptedDataKeys: Number(values['max-encrypted-data-keys']),
});

const decrypting = decryptUnsignedMessageStream(keyring);
let found: Readonly<Record<string, string>> = {};
decrypting.once('MessageHeader', ({ encryptionContext }) => {
  found = encryptionContext;
});
decrypting.end(await readFile(values.input ?? ''));
const plain: Buffer[] = [];
for await (const piece of decrypting) plain.push(piece);

const wanted = [values['encryption-context'] ?? '', ...positionals];
const differs = wanted.some((pair) => {
  const at = pair.indexOf('=');
  return found[pair.slice(0, at)] !== pair.slice(at + 1);
});
if (differs)
  console.error('Skipping decrypt because discovered encryption context did not match required elements.');
await writeFile(values.output ?? '', differs ? '' : Buffer.concat(plain));
