import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { webhookIdSchema } from '../../../../functions/access/webhooks/ids.ts';
import { SecretBox } from '../../../../functions/access/webhooks/secret-box.ts';
import { type FakeAws, startFakeAws } from '../../shared/fake-aws.ts';

const id = webhookIdSchema.parse('01K9Z3V5Q0J8X7N2T4R6M1C9HB');
const keyArn = 'arn:aws:kms:us-east-1:000000000000:key/k';
let aws: FakeAws;
let box: SecretBox;

beforeAll(async () => {
  aws = await startFakeAws(({ operation, input }) =>
    operation === 'Encrypt'
      ? { body: { CiphertextBlob: input.Plaintext } }
      : { body: { Plaintext: input.CiphertextBlob } },
  );
  box = new SecretBox(new KMSClient(aws.settings), keyArn);
});
afterAll(() => aws.stop());

describe('a sealed secret', () => {
  it('is bound to its endpoint and to its purpose, by which the right to the key is limited', async () => {
    expect(await box.open(id, await box.seal(id, 'whsec_c2VjcmV0'))).toBe('whsec_c2VjcmV0');
    const EncryptionContext = { purpose: 'webhook-secret', webhookId: id };
    expect(
      aws.calls.map(({ operation, input }) => [operation, input.KeyId, input.EncryptionContext]),
    ).toEqual([
      ['Encrypt', keyArn, EncryptionContext],
      ['Decrypt', keyArn, EncryptionContext],
    ]);
  });
});
