import type { Restore } from '../model.ts';
import type { RestoredCluster } from './record.ts';

/** Shows the clusters of a restore to a point in time. */
export function showClusters(clusters: readonly RestoredCluster[]): Restore['clusters'] {
  return clusters.map((cluster) => ({
    shard: cluster.shard,
    stage: cluster.stage,
    clusterIdentifier: cluster.identifier,
    resourceId: cluster.resourceId ?? null,
    writer: cluster.writer ?? null,
    relations: cluster.relations ?? null,
    source: {
      ...cluster.source,
      earliestRestorableTime: cluster.earliest,
      latestRestorableTime: cluster.latest,
    },
    cutOverAt: cluster.cutOverAt ?? null,
  }));
}
