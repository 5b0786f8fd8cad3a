import { readFile } from 'node:fs/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { failoverResultSchema } from '../../../functions/failover/events.ts';
import type { ProbeRecord } from '../../../functions/failover/model.ts';
import type { FailoverRecord } from '../../../functions/failover/record.ts';
import { FailoverStore, type RoutedShard } from '../../../functions/failover/store.ts';
import { callControl } from '../../../local/control/control-client.ts';
import type { ClusterDescription, InstanceDescription } from '../../../local/postgres/description.ts';
import { waitFor } from '../../support/wait-for.ts';
import { awsConfig, controlOf, tableNamed } from './aws.ts';
import { functionNamed } from './functions.ts';
import type { Route } from './ledger.ts';
import type { LocalJson } from './local-platform.ts';
import { writerAlarm } from './writer-alarm.ts';

const instanceSchema = z.looseObject({ identifier: z.string(), writer: z.boolean() });

/** What failovers are tried on: a running platform, with all that tells how its shards stand and breaks them. */
export class Subject {
  readonly local: LocalJson;
  readonly store: FailoverStore;
  readonly #lambda: LambdaClient;
  readonly #ca: string;
  #decider: Promise<string> | undefined;

  protected constructor(local: LocalJson, table: string, ca: string) {
    this.local = local;
    this.#ca = ca;
    this.#lambda = new LambdaClient(awsConfig(local));
    const client = DynamoDBDocumentClient.from(new DynamoDBClient(awsConfig(local)));
    this.store = new FailoverStore(client, table);
  }

  /** The name of the table of shards, and the authority that databases' certificates are signed by. */
  protected static async factsOf(local: LocalJson): Promise<[table: string, ca: string]> {
    const authority = new URL(local.shards[0]?.writer.url ?? '').searchParams.get('sslrootcert') ?? '';
    return [await tableNamed(local, 'Shards'), await readFile(authority, 'utf8')];
  }

  static async of(local: LocalJson): Promise<Subject> {
    return new Subject(local, ...(await Subject.factsOf(local)));
  }

  control(name: string, input: object): Promise<unknown> {
    return callControl(controlOf(this.local), `postgres/${name}`, input);
  }

  /** The cluster of a shard as it is now; of a global database the one that takes its writes. */
  async cluster(shard: string): Promise<ClusterDescription> {
    const clusters = await this.clusters(shard);
    const found = clusters.find(({ global }) => global?.primary !== false);
    if (found === undefined) throw new Error(`There is no cluster of ${shard}.`);
    return found;
  }

  /** All clusters of a shard: of a global database there are several. */
  async clusters(shard: string): Promise<ClusterDescription[]> {
    const { clusters } = z
      .object({ clusters: z.array(z.custom<ClusterDescription>(isCluster)) })
      .parse(await this.control('describe', {}));
    const named = clusters.filter(({ name, identifier }) => (name ?? identifier) === shard);
    const global = named.find((cluster) => cluster.global !== undefined)?.global?.identifier;
    return global === undefined ? named : clusters.filter((cluster) => cluster.global?.identifier === global);
  }

  /** How services reach a shard: by what the shard map says at that moment. */
  async route(shard: string): Promise<Route> {
    const url = new URL(this.local.shards.find(({ name }) => name === shard)?.writer.url ?? '');
    const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
    const database = decodeURIComponent(url.pathname.slice(1));
    return {
      address: async () => (await this.shard(shard)).writer,
      login: { user, password, database, ca: this.#ca },
    };
  }

  /** The shard's entry in the shard map. */
  async shard(name: string): Promise<RoutedShard> {
    const shard = await this.store.shard(name);
    if (shard === undefined) throw new Error(`The shard map has no ${name}.`);
    return shard;
  }

  async record(shard: string): Promise<FailoverRecord | undefined> {
    return this.store.record(shard);
  }

  async probe(shard: string): Promise<ProbeRecord | undefined> {
    return (await this.store.know(shard))?.probe;
  }

  /** Delivers an alarm on a shard's writer as CloudWatch does, and waits for what becomes of it. */
  alarm(shard: string, at = new Date()) {
    return this.#invoke(writerAlarm(shard, at));
  }

  /** Has the watchdog look now: by itself it does once a minute. */
  watchdog() {
    return this.#invoke({ watchdog: true });
  }

  /** Waits until a shard's record is as wished. */
  recorded(shard: string, what: string, wished: (record: FailoverRecord) => boolean, timeoutMs = 60_000) {
    return waitFor(
      async () => {
        const record = await this.record(shard);
        return record !== undefined && wished(record) && record;
      },
      { what: `${shard} to be ${what}`, timeoutMs, intervalMs: 20 },
    );
  }

  async #invoke(payload: object) {
    this.#decider ??= functionNamed(this.local, '-FailoverFunction');
    const FunctionName = await this.#decider;
    const answer = await this.#lambda.send(
      new InvokeCommand({ FunctionName, Payload: JSON.stringify(payload) }),
    );
    const text = Buffer.from(answer.Payload ?? []).toString();
    if (answer.FunctionError !== undefined) throw new Error(`${FunctionName} failed: ${text}`);
    return failoverResultSchema.parse(JSON.parse(text)).shards;
  }
}

function isCluster(value: unknown): value is ClusterDescription {
  return z.looseObject({ identifier: z.string(), instances: z.array(instanceSchema) }).safeParse(value)
    .success;
}

/** The instances of a cluster that runs: its writer and a reader. */
export function pairOf({ identifier, instances }: ClusterDescription): {
  writer: InstanceDescription;
  reader: InstanceDescription;
} {
  const writer = instances.find((instance) => instance.writer);
  const reader = instances.find((instance) => !instance.writer);
  if (writer === undefined || reader === undefined)
    throw new Error(`${identifier} lacks a writer or a reader.`);
  return { writer, reader };
}
