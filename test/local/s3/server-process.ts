import { join } from 'node:path';
import { CredentialStore } from '../../../local/aws/credentials.ts';
import { AwsEndpoint } from '../../../local/aws/endpoint.ts';
import { Authorizer } from '../../../local/iam/authorizer.ts';
import { KmsService } from '../../../local/kms/kms-service.ts';
import { S3Service } from '../../../local/s3/s3-service.ts';

// Serves S3 in a process of its own, whose memory can be measured. Tells its parent how to reach it,
// and at each message its peak of resident memory in MiB.

const [directory = ''] = process.argv.slice(2);
const authorizer = new Authorizer();
const credentials = CredentialStore.open(directory);
const kms = new KmsService({ directory, authorizer });
const s3 = new S3Service({ directory: join(directory, 's3'), authorizer, kms });
const endpoint = new AwsEndpoint({ credentials, authorizer });
endpoint.register(s3.api);
await s3.start();
s3.ensureBucket({ name: 'large' });
await endpoint.start();

process.on('message', () => process.send?.({ peak: process.resourceUsage().maxRSS / 1024 }));
process.once('disconnect', () => process.exit());
process.send?.({ url: endpoint.url, credentials: credentials.operator() });
