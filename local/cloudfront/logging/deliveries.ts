import { AwsError } from '../../aws/operation.ts';
import { type Field, optionalFields, standardFields } from './record.ts';

/** What connects the log of a distribution with a bucket. */
export interface LogDelivery {
  sourceArn: string;
  /** ARN of the distribution whose requests are logged. */
  resourceArn: string;
  bucket: string;
  /** What keys begin with, before the variable part. */
  prefix: string;
  suffix: string;
  format: 'w3c' | 'json';
  delimiter: string;
  fields: readonly Field[];
}

/** What `S3SuffixPath` may name. */
const variables = ['DistributionId', 'distributionid', 'yyyy', 'MM', 'dd', 'HH', 'accountid'];

/** The delivery resources of CloudWatch Logs, as far as the edge uses them: standard logging v2 into buckets. */
export class LogDeliveries {
  readonly #accountId: string;
  readonly #region: string;
  readonly #sources = new Map<string, string>();
  readonly #destinations = new Map<string, { bucket: string; prefix: string; format: 'w3c' | 'json' }>();
  readonly #deliveries = new Map<string, LogDelivery>();

  constructor({ accountId, region }: { accountId: string; region: string }) {
    this.#accountId = accountId;
    this.#region = region;
  }

  /** Names the log of a distribution. Returns the source's ARN. */
  setSource(name: string, resourceArn: string): string {
    this.#sources.set(name, resourceArn);
    return this.#arn('delivery-source', name);
  }

  /** Names a bucket, or a folder in one. Returns the destination's ARN. */
  setDestination(name: string, resourceArn: string, format: 'w3c' | 'json'): string {
    const [bucket = '', ...folders] = resourceArn.replace(/^arn:[^:]+:s3:::/, '').split('/');
    const prefix = folders.length > 0 ? folders.join('/') : `AWSLogs/${this.#accountId}/CloudFront`;
    const arn = this.#arn('delivery-destination', name);
    this.#destinations.set(arn, { bucket, prefix, format });
    return arn;
  }

  /**
   * Connects a source with a destination.
   *
   * @throws for what is not there, and for fields and variables that are not emulated.
   */
  setDelivery(
    id: string,
    delivery: {
      source: string;
      destinationArn: string;
      suffix?: string | undefined;
      delimiter?: string | undefined;
      fields?: readonly string[] | undefined;
    },
  ): void {
    const resourceArn = this.#sources.get(delivery.source);
    const destination = this.#destinations.get(delivery.destinationArn);
    if (resourceArn === undefined || destination === undefined) {
      throw new AwsError(
        'ResourceNotFoundException',
        `The delivery ${id} has no source or no destination.`,
        404,
      );
    }
    const suffix = delivery.suffix ?? '';
    for (const [, name = ''] of suffix.matchAll(/\{([^}]*)\}/g)) {
      if (!variables.includes(name))
        throw new Error(`The local runtime does not emulate {${name}} of S3SuffixPath.`);
    }
    this.#deliveries.set(id, {
      ...destination,
      sourceArn: this.#arn('delivery-source', delivery.source),
      resourceArn,
      suffix,
      delimiter: delivery.delimiter ?? '\t',
      fields: (delivery.fields ?? standardFields).map(fieldNamed),
    });
  }

  /** The deliveries of a distribution's log. */
  of(resourceArn: string): LogDelivery[] {
    return [...this.#deliveries.values()].filter((delivery) => delivery.resourceArn === resourceArn);
  }

  #arn(kind: string, name: string): string {
    return `arn:aws:logs:${this.#region}:${this.#accountId}:${kind}:${name}`;
  }
}

function fieldNamed(name: string): Field {
  const field = [...standardFields, ...optionalFields].find((known) => known === name);
  if (field === undefined) throw new Error(`The local runtime does not emulate the log field ${name}.`);
  return field;
}
