import { createPrivateKey } from 'node:crypto';
import { getSignedUrl } from '@aws-sdk/cloudfront-signer';
import { ProviderRefusedError } from '../providers/errors.ts';

/**
 * Signs URLs for a CloudFront key group, with a canned policy.
 *
 * @param privateKey reads the key, in PEM. @throws (by what it makes) ProviderRefusedError where it is none.
 */
export function urlSigner(
  publicKeyId: string,
  privateKey: () => Promise<string>,
): (url: string, until: Date) => Promise<string> {
  return async (url, until) => {
    const pem = await privateKey();
    try {
      createPrivateKey(pem);
    } catch {
      throw new ProviderRefusedError('The secret of the signing key holds no private key in PEM.');
    }
    return getSignedUrl({ url, keyPairId: publicKeyId, privateKey: pem, dateLessThan: until.toISOString() });
  };
}
