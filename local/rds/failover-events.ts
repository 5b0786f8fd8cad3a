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

/** As the user guide of Aurora has them, in the category of global failovers. */
const globalMessages = {
  'switchover started': [
    'RDS-EVENT-0181',
    (where: string) => `Global switchover to DB cluster ${where} started.`,
  ],
  stopped: ['RDS-EVENT-0182', (where: string) => `Old primary DB cluster ${where} successfully shut down.`],
  promoted: [
    'RDS-EVENT-0184',
    (where: string) => `New primary DB cluster ${where} was successfully promoted.`,
  ],
  'switchover finished': [
    'RDS-EVENT-0185',
    (where: string) => `Global switchover to DB cluster ${where} finished.`,
  ],
  'switchover failed': [
    'RDS-EVENT-0187',
    (where: string) => `Global switchover to DB cluster ${where} failed.`,
  ],
  'failover completed': [
    'RDS-EVENT-0238',
    (where: string) => `Global failover to DB cluster ${where} completed.`,
  ],
  'failover failed': ['RDS-EVENT-0239', (where: string) => `Global failover to DB cluster ${where} failed.`],
  'resynchronization started': [
    'RDS-EVENT-0240',
    (where: string) => `Started resynchronizing members of DB cluster ${where} after global failover.`,
  ],
  'resynchronization finished': [
    'RDS-EVENT-0241',
    (where: string) => `Finished resynchronizing members of DB cluster ${where} after global failover.`,
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
  return clusterEvent(place, cluster, 'failover', id, message(instance), time);
}

/**
 * What RDS puts on the default bus while a global database fails or switches over to another cluster. The one bus of this machine
 * takes those of all regions.
 *
 * @param place where the cluster is that the event is about.
 */
export function globalFailoverEvent(
  place: Place,
  cluster: string,
  step: keyof typeof globalMessages,
  time = Date.now(),
): ServiceEvent {
  const [id, message] = globalMessages[step];
  const where = `${cluster} in Region ${place.region}`;
  return clusterEvent(place, cluster, 'global-failover', id, message(where), time);
}

function clusterEvent(
  place: Place,
  cluster: string,
  category: string,
  id: string,
  message: string,
  time: number,
): ServiceEvent {
  const arn = arnOf(place, 'cluster', cluster);
  return {
    source: 'aws.rds',
    detailType: 'RDS DB Cluster Event',
    resources: [arn],
    time,
    detail: {
      EventCategories: [category],
      SourceType: 'CLUSTER',
      SourceArn: arn,
      Date: new Date(time).toISOString(),
      Message: message,
      SourceIdentifier: cluster,
      EventID: id,
    },
  };
}
