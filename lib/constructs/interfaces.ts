import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as s3 from 'aws-cdk-lib/aws-s3';

/*
 * Two of the CDK's classes do not fit their own interfaces under `exactOptionalPropertyTypes`: an optional
 * member may hold `undefined` in the class and not in the interface. The guards below say that they do fit.
 */

const isBucket = (value: unknown): value is s3.IBucket => value instanceof s3.Bucket;
const isVpc = (value: unknown): value is ec2.IVpc => value instanceof ec2.Vpc;

/** A bucket, as parameters of other constructs want it. */
export function bucketInterface(bucket: s3.Bucket): s3.IBucket {
  if (!isBucket(bucket)) throw new TypeError('not a bucket');
  return bucket;
}

/** A VPC, as parameters of other constructs want it. */
export function vpcInterface(vpc: ec2.Vpc): ec2.IVpc {
  if (!isVpc(vpc)) throw new TypeError('not a VPC');
  return vpc;
}
