import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';

/*
 * Some of the CDK's classes do not fit their own interfaces under `exactOptionalPropertyTypes`: an optional
 * member may hold `undefined` in the class and not in the interface. The guards below say that they do fit.
 */

const isBucket = (value: unknown): value is s3.IBucket => value instanceof s3.Bucket;
const isAlias = (value: unknown): value is lambda.IAlias => value instanceof lambda.Alias;
const isVersion = (value: unknown): value is lambda.IVersion => value instanceof lambda.Version;
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

/** An alias of a function, as parameters of other constructs want it. */
export function aliasInterface(alias: lambda.Alias): lambda.IAlias {
  if (!isAlias(alias)) throw new TypeError('not an alias');
  return alias;
}

/** A version of a function, as parameters of other constructs want it. */
export function versionInterface(version: lambda.Version): lambda.IVersion {
  if (!isVersion(version)) throw new TypeError('not a version');
  return version;
}
