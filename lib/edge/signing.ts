import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import { Construct } from 'constructs';

/** Whose signatures open files that are not for everybody: a key group with one public key. */
export class Signing extends Construct {
  readonly keyGroup: cloudfront.KeyGroup;
  /** Id of the key, which every signed URL names. */
  readonly keyId: string;

  constructor(scope: Construct, id: string, { publicKey }: { publicKey: string }) {
    super(scope, id);
    const key = new cloudfront.PublicKey(this, 'Key', { encodedKey: publicKey });
    this.keyId = key.publicKeyId;
    this.keyGroup = new cloudfront.KeyGroup(this, 'Group', { items: [key] });
  }
}
