import { DescribeKeyCommand, type KMSClient } from '@aws-sdk/client-kms';
import { HeadBucketCommand, type S3Client } from '@aws-sdk/client-s3';
import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import type { connect } from '../shared/database.ts';
import type { Shard, ShardReader } from '../shared/shards.ts';
import { probeKey } from './probe-key.ts';
import { type Probe, type ProbeList, probeTimeoutMs, Unusable } from './readiness.ts';

/** Reads from a table, which takes table, key and network to work. */
export function tableProbe(client: DynamoDBDocumentClient, name: string, table: string): Probe {
  return {
    name: `table:${name}`,
    run: async (abortSignal) => {
      await client.send(new GetCommand({ TableName: table, Key: probeKey }), { abortSignal });
    },
  };
}

export function bucketProbe(client: S3Client, name: string, bucket: string): Probe {
  return {
    name: `bucket:${name}`,
    run: async (abortSignal) => {
      await client.send(new HeadBucketCommand({ Bucket: bucket }), { abortSignal });
    },
  };
}

export function keyProbe(client: KMSClient, name: string, keyArn: string): Probe {
  return {
    name: `key:${name}`,
    run: async (abortSignal) => {
      const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: keyArn }), { abortSignal });
      if (KeyMetadata?.KeyState !== 'Enabled') throw new Unusable(`the key is ${KeyMetadata?.KeyState}`);
    },
  };
}

/** One probe per shard: its writer answers a query, and is a writer. */
export function shardProbes(shards: Pick<ShardReader, 'list'>, open: typeof connect): ProbeList {
  return {
    name: 'shards',
    list: async () => {
      const known = await shards.list();
      if (known.length === 0) throw new Unusable('the table of shards is empty');
      return known.map((shard) => shardProbe(shard, open));
    },
  };
}

function shardProbe(shard: Shard, open: typeof connect): Probe {
  const { host, port } = shard.writer;
  return {
    name: `shard:${shard.name}:writer`,
    run: async () => {
      const client = await open({
        host,
        port,
        database: shard.database,
        user: 'mainstay_probe',
        connectTimeoutMs: probeTimeoutMs,
        statementTimeoutMs: probeTimeoutMs,
      });
      try {
        const { rows } = await client.query('SELECT pg_is_in_recovery() AS replica');
        if (rows[0]?.replica !== false) throw new Unusable('the writer’s endpoint leads to a replica');
      } finally {
        void client.end().catch(() => {});
      }
    },
  };
}
