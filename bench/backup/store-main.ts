import { CredentialStore } from '../../local/aws/credentials.ts';
import { AwsEndpoint } from '../../local/aws/endpoint.ts';
import { Authorizer } from '../../local/iam/authorizer.ts';
import { KmsService } from '../../local/kms/kms-service.ts';
import { S3Service } from '../../local/s3/s3-service.ts';
import type { StoreFacts } from './store.ts';

/** The local runtime's S3 and KMS in a process of their own, until whoever started it goes. */
const [directory = ''] = process.argv.slice(2);
const credentials = CredentialStore.open(directory);
const authorizer = new Authorizer();
const endpoint = new AwsEndpoint({ credentials, authorizer });
const kms = new KmsService({ directory, authorizer });
const s3 = new S3Service({ directory, authorizer, kms });
endpoint.register(kms.api);
endpoint.register(s3.api);
await s3.start();
await endpoint.start();
process.once('disconnect', () => void endpoint.stop().then(() => s3.stop()));

const { name: bucket } = s3.ensureBucket({ name: 'backups', versioning: 'Enabled' });
const { arn: keyArn } = await kms.ensureKey({ name: 'backups' });
const facts: StoreFacts = { endpoint: endpoint.url, ...credentials.operator(), bucket, keyArn };
process.send?.(facts);
