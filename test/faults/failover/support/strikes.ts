import { waitFor } from '../../../support/wait-for.ts';
import { onShard } from './on-shard.ts';
import type { Scene } from './trial.ts';

/** What the functions that probe are called, in part. */
export const probeFunction = 'FailoverProbe';

/** Sends a signal to an instance's processes, or to those whose title holds `part`. */
export function signal(
  { deployment, cluster }: Scene,
  instance: string,
  name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT',
  part?: string,
): Promise<unknown> {
  const of = part === undefined ? {} : { part };
  return deployment.control('signal', { cluster, instance, signal: name, ...of });
}

export const kill = (scene: Scene) => signal(scene, scene.writer.identifier, 'SIGKILL');

export function start({ deployment, cluster }: Scene, instance: string): Promise<unknown> {
  return deployment.control('start', { cluster, instance });
}

/** Sets how traffic fares at an endpoint of the scene's cluster, of clients of that name alone where it is given. */
export function traffic(
  { deployment, cluster }: Scene,
  endpoint: string,
  kind: 'open' | 'silent' | 'reset',
  client?: string,
): Promise<unknown> {
  const of = client === undefined ? {} : { client };
  return deployment.control('traffic', { cluster, endpoint, condition: { kind }, ...of });
}

/** All endpoints of all clusters are silent for the probe. */
export async function cutProbeOff(scene: Scene, kind: 'open' | 'silent', clusters: readonly string[]) {
  for (const shard of clusters) {
    const { identifier: cluster, instances } = await scene.deployment.cluster(shard);
    for (const endpoint of ['writer', 'reader', ...instances.map(({ identifier }) => identifier)]) {
      await traffic({ ...scene, cluster }, endpoint, kind, probeFunction);
    }
  }
}

/** Waits until a probe that began after now has found the shard as wished. */
export async function probed(
  { deployment, shard }: Scene,
  what: string,
  wished: (probe: NonNullable<Awaited<ReturnType<typeof deployment.probe>>>) => boolean,
): Promise<void> {
  const since = Date.now();
  await waitFor(
    async () => {
      const probe = await deployment.probe(shard);
      return probe !== undefined && Date.parse(probe.at) > since && wished(probe);
    },
    { what: `a probe to find ${shard} ${what}`, intervalMs: 100 },
  );
}

/** The standby receives nothing more, and the writer writes more than a standby may lack; a probe has seen it. */
export async function makeLag(scene: Scene): Promise<void> {
  await signal(scene, scene.writer.identifier, 'SIGSTOP', 'walsender');
  await onShard(
    scene,
    `CREATE TABLE IF NOT EXISTS public.filler (text text);
     INSERT INTO public.filler SELECT repeat(md5(random()::text), 32) FROM generate_series(1, 26000)`,
  );
  await probed(scene, 'behind', ({ readers }) =>
    readers.some(({ lagBytes = 0 }) => lagBytes > 16 * 1024 * 1024),
  );
}

/** Has commits wait for the standby, or not, and waits until they do. */
export async function synchronous(scene: Scene, on: boolean): Promise<void> {
  const { deployment, cluster, ledger } = scene;
  await deployment.control('conduct', { cluster, synchronous: on });
  if (!on) return;
  await waitFor(
    async () => {
      const [row] = await onShard(scene, 'SHOW synchronous_standby_names');
      return row?.synchronous_standby_names !== '';
    },
    { what: 'commits to wait' },
  );
  const since = Date.now();
  await waitFor(() => ledger.acknowledged.filter(({ sentAt }) => sentAt > since).length > 20, {
    what: 'synchronous writes',
  });
}
