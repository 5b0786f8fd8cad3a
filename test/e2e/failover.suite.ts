import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { statusSchema } from '../../functions/failover/status-model.ts';
import { waitFor } from '../support/wait-for.ts';
import { type ApiClient, apiClient } from './support/api.ts';
import { pairOf, Subject } from './support/failover-subject.ts';
import { Ledger } from './support/ledger.ts';
import { sharedPlatform } from './support/shared-platform.ts';
import { latestTrace, wholeTrace } from './support/traces.ts';

const shard = 'shard-b';

describe('a writer that is killed', () => {
  let subject: Subject;
  let call: ApiClient;
  let cluster: string;
  let ledger: Ledger;

  beforeAll(async () => {
    const local = await sharedPlatform();
    subject = await Subject.of(local);
    call = apiClient(local);
    cluster = (await subject.cluster(shard)).identifier;
    await subject.control('conduct', { cluster, synchronous: true, restartAfterMs: null });
    ledger = await Ledger.start(await subject.route(shard), 'end to end');
    await waitFor(async () => (await subject.probe(shard))?.ok, { what: 'a probe', timeoutMs: 90_000 });
  }, 120_000);

  afterAll(async () => {
    await ledger.stop();
    await subject.control('settled', { cluster });
    await subject.control('conduct', { cluster, synchronous: false, restartAfterMs: 10_000 });
  });

  it('is replaced once, by the standby, and nothing that was acknowledged is lost', async () => {
    expect(await subject.alarm(shard)).toMatchObject([{ outcome: 'refused', code: 'writer-answers' }]);
    const { epoch } = await subject.shard(shard);
    const { writer, reader } = pairOf(await subject.cluster(shard));

    await subject.control('signal', { cluster, instance: writer.identifier, signal: 'SIGKILL' });
    const alarms = (await Promise.all([subject.alarm(shard), subject.alarm(shard)])).flat();
    expect(alarms.filter(({ outcome }) => outcome === 'started')).toHaveLength(1);
    await subject.recorded(shard, 'failed over', ({ state }) => state === 'failed_over');
    const served = Date.now();
    await waitFor(() => ledger.acknowledged.some(({ sentAt }) => sentAt > served), {
      what: 'the services to write again',
    });
    await ledger.stop();
    expect(await ledger.lost()).toEqual([]);
    expect(ledger.acknowledged.at(-1)?.instance).toBe(reader.identifier);

    expect((await subject.shard(shard)).epoch).toBe(epoch + 1);
    const { status, body } = await call('GET', `/api/disaster-recovery/failover/status?shard=${shard}`);
    expect({ status, body }).toMatchObject({ status: 200 });
    expect(statusSchema.parse(body).shards).toMatchObject([
      {
        shard,
        state: 'failed_over',
        epoch: epoch + 1,
        lastFailover: {
          trigger: 'alarm',
          result: 'completed',
          from: writer.identifier,
          target: reader.identifier,
        },
      },
    ]);
  }, 60_000);

  it('comes back as a reader', async () => {
    await subject.control('settled', { cluster });
    const { instances } = await subject.cluster(shard);
    expect(instances.map(({ status }) => status)).toEqual(['available', 'available']);
    const traceId = await latestTrace(call, 'mainstay-failover', 'conclude-failover');
    await wholeTrace(call, traceId, ['failover', 'operate', 'conclude-failover']);
  }, 60_000);
});
