import * as z from 'zod';
import { Traffic } from './traffic.ts';

/** The part of a bundle that is of all tenants together. Not an id that a tenant can have. */
export const everybody = '*';
/** The part of a bundle that says which logs are in it. */
export const contents = '#logs';

/** Where the parts of a bundle are, by tenant: offset and length in bytes. */
export const directorySchema = z.record(z.string(), z.tuple([z.int().min(0), z.int().min(0)]));
export type Directory = z.output<typeof directorySchema>;

/** Traffic of several tenants in one sequence of bytes, of which parts can be read alone. */
export interface Bundle {
  readonly directory: Directory;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Puts parts together. */
export function bundleOf(parts: ReadonlyMap<string, Uint8Array>): Bundle {
  const directory: Directory = {};
  let offset = 0;
  for (const [name, bytes] of parts) {
    directory[name] = [offset, bytes.length];
    offset += bytes.length;
  }
  return { directory, bytes: Buffer.concat([...parts.values()]) };
}

/** The parts for the traffic of tenants, and for all of it together. */
export function trafficParts(
  byTenant: ReadonlyMap<string, Traffic>,
  noTenant: string,
): Map<string, Uint8Array> {
  const all = new Traffic();
  const parts = new Map<string, Uint8Array>();
  for (const [tenant, traffic] of [...byTenant].sort(([one], [other]) => (one < other ? -1 : 1))) {
    all.merge(traffic);
    if (tenant !== noTenant) parts.set(tenant, traffic.toBytes());
  }
  parts.set(everybody, all.toBytes());
  return parts;
}

/** Bytes of an id of a log. */
const idBytes = 16;

/** The ids of logs as one part of a bundle, in order: equal sets give equal bytes. */
export function writeIds(ids: ReadonlySet<string>): Buffer {
  return Buffer.from([...ids].sort().join(''), 'hex');
}

export function readIds(bytes: Uint8Array): Set<string> {
  const hex = Buffer.from(bytes).toString('hex');
  const ids = new Set<string>();
  for (let at = 0; at < hex.length; at += idBytes * 2) ids.add(hex.slice(at, at + idBytes * 2));
  return ids;
}
