import type { Address, ProbeRecord, ShardInstances } from './model.ts';
import type { FailoverRecord } from './record.ts';

/** Which instance a shard's writer is, as far as anybody knows. */
export function writerInstanceOf({
  shard: { writer, epoch },
  instances,
  probe,
  record,
}: {
  readonly shard: { readonly epoch: number; readonly writer: Address };
  readonly instances: ShardInstances | undefined;
  readonly probe: ProbeRecord | undefined;
  readonly record: FailoverRecord | undefined;
}): string | undefined {
  const found = instances?.instances ?? [];
  const routed = found.find(({ host, port }) => host === writer.host && port === writer.port)?.id;
  if (routed !== undefined) return routed;
  const known = record?.knownWriter?.epoch === epoch ? record.knownWriter.instance : undefined;
  // What was found before a failover tells who was the writer until then.
  const current = record === undefined || (instances !== undefined && instances.at >= record.since);
  const engine = found.find(({ role }) => role === 'writer')?.id;
  return (current ? (engine ?? known) : (known ?? engine)) ?? probe?.writerInstance;
}
