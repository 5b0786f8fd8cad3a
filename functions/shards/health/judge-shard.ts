import { type Address, bytesBetween, type DatabaseInstance } from '../../failover/model.ts';
import type { Answer } from '../../failover/probing/ask.ts';
import { loadReasons } from './judge-load.ts';
import type { Found, Measured } from './look.ts';
import type { InstanceHealth, Reason, ReasonCode, ShardHealth } from './model.ts';
import type { HealthSettings } from './settings.ts';

export interface Subject {
  readonly name: string;
  readonly writer: Address;
}

/** Answers that leave open whether the platform's services are served: they say something of Mainstay's own login. */
const undecided: ReadonlySet<ReasonCode> = new Set(['login-refused', 'too-many-connections', 'not-prepared']);

/** What is made of a look at a shard. */
export function judgeShard(
  { name, writer: address }: Subject,
  found: Found,
  at: Date,
  settings: HealthSettings,
): ShardHealth {
  const own = ownInstance(found);
  const writer = healthOf({ id: own?.id ?? null, ...address }, 'writer', found.writer, found.writerLsn);
  const others = found.instances.filter(({ instance }) => instance !== own);
  const readers = others.map(({ instance, answer }) => healthOf(instance, 'reader', answer, found.writerLsn));
  const reasons = [
    ...reasonsOf(writer, found.writer, settings),
    ...readers.flatMap((reader, index) => reasonsOf(reader, others[index]?.answer ?? found.writer, settings)),
  ];
  const ofWriter = reasonsOf(writer, found.writer, settings);
  const down =
    writer.role === 'reader' || (!writer.reachable && !ofWriter.some(({ code }) => undecided.has(code)));
  return {
    shard: name,
    state: down ? 'down' : reasons.length > 0 ? 'degraded' : 'healthy',
    reasons: reasons.slice(0, 64),
    at: at.toISOString(),
    tookMs: tenths(found.durationMs),
    writer,
    readers,
  };
}

/** The instance behind the writer's endpoint: by when its server started, or else as it was last discovered. */
function ownInstance({ writer: { value }, instances }: Found): DatabaseInstance | undefined {
  const discovered = instances.find(({ instance }) => instance.role === 'writer')?.instance;
  if (value === undefined || value.identity.replica) return discovered;
  return (
    instances.find(({ answer }) => answer.value?.identity.started === value.identity.started)?.instance ??
    // One whose own address does not answer is the one that it was.
    instances.find(({ instance, answer }) => instance === discovered && answer.value === undefined)?.instance
  );
}

function healthOf(
  { id, host, port }: { id: string | null; host: string; port: number },
  expectedRole: 'writer' | 'reader',
  { value }: Answer<Measured>,
  writerLsn: string | undefined,
): InstanceHealth {
  const base = { instance: id, host, port, expectedRole, reachable: value !== undefined };
  if (value === undefined) {
    return { ...base, role: null, connectMs: null, queryMs: null, lag: null, load: null };
  }
  return {
    ...base,
    role: value.identity.replica ? 'reader' : 'writer',
    connectMs: tenths(value.connectMs),
    queryMs: tenths(value.queryMs),
    lag: expectedRole === 'reader' ? lagOf(value, writerLsn) : null,
    load: value.load,
  };
}

function lagOf({ identity, progress }: Measured, writerLsn: string | undefined): InstanceHealth['lag'] {
  if (progress === undefined) return null;
  const { streaming, replayedLsn, caughtUpSeconds, sinceReplay, engineLagSeconds } = progress;
  // It reads the writer's own storage.
  if (identity.aurora) return { bytes: 0, seconds: engineLagSeconds ?? null, streaming };
  const bytes =
    writerLsn === undefined || replayedLsn === undefined
      ? null
      : Math.max(0, Number(bytesBetween(replayedLsn, writerLsn)));
  // Behind a writer that did not answer, only the age of what was replayed last is known, and it grows by itself.
  const seconds =
    writerLsn === undefined ? null : (caughtUpSeconds ?? (bytes === 0 ? 0 : sinceReplay) ?? null);
  return { bytes, seconds: seconds === null ? null : Math.round(seconds * 1000) / 1000, streaming };
}

function reasonsOf(health: InstanceHealth, answer: Answer<Measured>, settings: HealthSettings): Reason[] {
  const { instance, expectedRole, role, lag, load } = health;
  const because = (code: ReasonCode, message: string): Reason => ({
    code,
    ...(instance !== null && { instance }),
    message: message.slice(0, 300),
  });
  if (!health.reachable) return [because(codeOf(answer), answer.reason ?? 'no answer')];
  const reasons: Reason[] = [];
  if (role !== expectedRole) {
    reasons.push(
      because(
        'wrong-role',
        expectedRole === 'writer'
          ? 'the writer’s endpoint leads to a replica'
          : 'a second writer: it takes writes',
      ),
    );
  }
  if (lag !== null) {
    if (!lag.streaming) reasons.push(because('not-streaming', 'it receives nothing from its writer'));
    if (lag.seconds !== null && lag.seconds > settings.lagSeconds) {
      reasons.push(because('replica-lag', `${lag.seconds} s and ${lag.bytes ?? 'unknown'} bytes behind`));
    }
  }
  if (load !== null) {
    reasons.push(
      ...loadReasons(load, expectedRole, settings).map(({ code, message }) => because(code, message)),
    );
  }
  return reasons;
}

function codeOf({ code = '', reason = '' }: Answer<Measured>): ReasonCode {
  if (code === 'TIMEOUT' || code === '57014' || code === 'ETIMEDOUT') return 'timeout';
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === '53300') return 'too-many-connections';
  if (code.startsWith('57P')) return 'starting';
  if (code.startsWith('28')) return 'login-refused';
  // The database, the schema, a function or a right is missing: the bootstrap has not been here.
  if (['3D000', '42501', '42883', '42P01', '42704'].includes(code)) return 'not-prepared';
  // pg's own bound on connecting has no code.
  return reason.includes('timeout') ? 'timeout' : 'unreachable';
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10;
