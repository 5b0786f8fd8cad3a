import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { CdnConfig } from './config/cdn.ts';
import { AccessLogs } from './edge/access-log.ts';
import type { StatefulStack } from './stateful-stack.ts';

export interface EdgeLogsStackProps extends StackProps {
  /** Name of the environment. */
  environment: string;
  /** Ids of the distributions. */
  distributionIds: readonly string[];
  queryStrings: CdnConfig['queryStrings'];
  stateful: StatefulStack;
}

/** The access logs of distributions that were there before. Nothing of the distributions themselves is changed. */
export class EdgeLogsStack extends Stack {
  constructor(scope: Construct, id: string, props: EdgeLogsStackProps) {
    const { environment, distributionIds, queryStrings, stateful, ...rest } = props;
    super(scope, id, rest);
    const arnOf = (resourceName: string) =>
      this.formatArn({ service: 'cloudfront', region: '', resource: 'distribution', resourceName });
    new AccessLogs(this, 'AccessLogs', {
      ...{ name: `mainstay-${environment}-adopted`, queryStrings },
      distributions: new Map(distributionIds.map((id) => [id, arnOf(id)])),
      bucket: stateful.buckets.edgeLogs.bucket,
    });
  }
}
