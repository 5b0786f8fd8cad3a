import { writerHost } from './cluster-endpoints.ts';
import type { ClusterState } from './cluster-state.ts';

/** Where a client connects to. */
export interface Address {
  host: string;
  port: number;
}

/** What happens to an instance that does not accept connections. */
export type Activity = 'starting' | 'rebooting' | 'failed';

/** An instance as it is now. */
export interface InstanceDescription {
  identifier: string;
  /** `DbiResourceId`. */
  resourceId: string;
  /** RFC 3339. */
  createdAt: string;
  endpoint: Address;
  writer: boolean;
  status: 'available' | Activity;
  /** Process id of the postmaster; undefined while it does not run. */
  pid: number | undefined;
}

/** A cluster as it is now. */
export interface ClusterDescription {
  identifier: string;
  name?: string | undefined;
  /** `DbClusterResourceId`. */
  resourceId: string;
  database: string;
  masterUsername: string;
  forceSsl: boolean;
  iamAuthentication: boolean;
  /** RFC 3339. */
  createdAt: string;
  /** For example `18.4`. */
  engineVersion: string;
  endpoint: Address;
  /** Undefined where the machine has no second loopback address. */
  readerEndpoint: Address | undefined;
  /** Undefined: the runtime's. */
  region?: string | undefined;
  /** The global database that it is a member of; a secondary has no writer. */
  global?: { identifier: string; primary: boolean } | undefined;
  /** `creating` and `failed`: of a restore that is at work, or did not work out. */
  status: 'available' | 'creating' | 'failed';
  instances: InstanceDescription[];
}

/** How programs reach one shard, as the file `local.json` has it. */
export interface LocalDatabase {
  name?: string | undefined;
  identifier: string;
  writer: LocalServer;
  readers: LocalServer[];
}

export interface LocalServer {
  /** Connects as the master user, to the instance's own endpoint. */
  url: string;
  /** Process id of the postmaster; null while it does not run. */
  pid: number | null;
}

/** What the stored state of a cluster does not say. */
export interface ClusterFacts {
  engineVersion: string;
  readerEndpoint: Address | undefined;
  pidOf(instance: string): number | undefined;
  activityOf(instance: string): Activity | undefined;
}

/** Describes a cluster, without its password. */
export function describeCluster(state: ClusterState, facts: ClusterFacts): ClusterDescription {
  const reader = facts.readerEndpoint;
  return {
    identifier: state.identifier,
    name: state.name,
    resourceId: state.resourceId,
    database: state.database,
    masterUsername: state.masterUsername,
    forceSsl: state.forceSsl,
    iamAuthentication: state.iamAuthentication,
    createdAt: state.createdAt,
    engineVersion: facts.engineVersion,
    endpoint: { host: writerHost, port: state.port },
    readerEndpoint: reader && { host: reader.host, port: reader.port },
    region: state.region,
    global: state.global,
    status: state.volume?.state ?? 'available',
    instances: state.instances.map((instance) => {
      const pid = facts.pidOf(instance.identifier);
      return {
        identifier: instance.identifier,
        resourceId: instance.resourceId,
        createdAt: instance.createdAt,
        endpoint: { host: writerHost, port: instance.port },
        writer: instance.identifier === state.writer && state.global?.primary !== false,
        status: pid === undefined ? (facts.activityOf(instance.identifier) ?? 'starting') : 'available',
        pid,
      };
    }),
  };
}
