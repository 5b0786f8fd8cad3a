import type { ServiceEvent } from '../events/event.ts';
import { arnOf, type Place } from './arns.ts';

const messages = {
  started: ['RDS-EVENT-0073', (instance: string) => `Started cross AZ failover to DB instance: ${instance}`],
  completed: ['RDS-EVENT-0071', (instance: string) => `Completed failover to DB instance: ${instance}`],
  failed: [
    'RDS-EVENT-0069',
    () => 'Cluster failover failed, check the health of your cluster instances and try again.',
  ],
} as const;

/** What RDS puts on the default bus while a cluster fails over to an instance. */
export function failoverEvent(
  place: Place,
  cluster: string,
  instance: string,
  step: keyof typeof messages,
  time = Date.now(),
): ServiceEvent {
  const [id, message] = messages[step];
  const arn = arnOf(place, 'cluster', cluster);
  return {
    source: 'aws.rds',
    detailType: 'RDS DB Cluster Event',
    resources: [arn],
    time,
    detail: {
      EventCategories: ['failover'],
      SourceType: 'CLUSTER',
      SourceArn: arn,
      Date: new Date(time).toISOString(),
      Message: message(instance),
      SourceIdentifier: cluster,
      EventID: id,
    },
  };
}
