import { chooseCandidate } from './candidates.ts';
import type { Decision, DecisionInput, Refusal } from './decision-model.ts';
import { type Examination, heardAnything } from './examination.ts';
import { isFlapping } from './flapping.ts';
import { movedWriter } from './global-writer.ts';
import type { Address, ShardInstances } from './model.ts';
import type { FailoverAction } from './policy.ts';
import type { FailoverRecord } from './record.ts';
import { writerInstanceOf } from './writer-instance.ts';

/** How long an engine that has chosen another writer by itself may take until the shard's address leads there. */
const engineMs = 5 * 60_000;
/** How often one epoch is left without being asked; then an operator has to look. */
const maximumAttempts = 3;

/**
 * Decides whether the writer of a shard is replaced, and by what. It knows nothing but its input and changes nothing: whoever
 * asks claims what it says by one conditional write.
 */
export function decide(input: DecisionInput): Decision {
  const { record, policy, request, now, examination } = input;
  const automatic = request.trigger !== 'request';
  const { action } = policy;
  if (action === 'observe') {
    return nothing('observe-only', 'The shard is configured to be observed only.');
  }
  if (record.state === 'failing_over') {
    return nothing('in-progress', `A ${record.operation?.kind ?? 'failover'} of the shard is in progress.`);
  }
  if (automatic && !policy.automatic) {
    return nothing('not-automatic', 'Automatic failover is turned off by configuration.');
  }
  if (automatic && record.paused !== undefined) {
    return nothing('paused', `Automatic failover is paused: ${record.paused.reason}`);
  }
  if (automatic && record.cooldownUntil !== undefined && now < Date.parse(record.cooldownUntil)) {
    return nothing(
      'cooldown',
      `After the last failover nothing is done by itself until ${record.cooldownUntil}.`,
    );
  }
  if (examination === undefined) return { kind: 'examine' };
  return request.kind === 'switchover'
    ? decideSwitchover(input, examination, action)
    : decideFailover(input, examination, action, automatic);
}

type Acting = Exclude<FailoverAction, 'observe'>;

function decideFailover(
  input: DecisionInput,
  examination: Examination,
  action: Acting,
  automatic: boolean,
): Decision {
  const { record, policy, now, shard } = input;
  const { writer, instances: findings } = examination;
  if (writer.answers) {
    return nothing('writer-answers', 'The writer answers. To replace it nevertheless, ask for a switchover.');
  }
  const writerInstance = writerInstanceOf(input);
  const attempts = record.attempts?.epoch === shard.epoch ? record.attempts.automatic : 0;
  const exhausted = automatic && attempts >= maximumAttempts;
  const moved = action === 'global' ? movedWriter(input) : undefined;
  // RDS has moved the writes already: the shard map follows.
  if (moved !== undefined) {
    if (exhausted) return hold('attempts-exhausted', exhaustedText(record));
    const writer = { host: moved.host, port: moved.port };
    const lagBytes = record.operation?.fromEpoch === shard.epoch ? record.operation.lagBytes : null;
    return { kind: 'act', action, target: moved, moved: true, writer, writerInstance, lagBytes };
  }
  // A region that is lost is silent as a whole; who asks for another one to take over has looked.
  if (!heardAnything(examination) && (automatic || action !== 'global')) {
    return hold('cut-off', 'The re-check heard nothing of the shard: it may be cut off itself.');
  }
  const promoted = findings.filter(({ role, instance }) => role === 'primary' && instance !== writerInstance);
  const unfinished = record.operation?.fromEpoch === shard.epoch ? record.operation : undefined;
  // What was promoted before something broke is the only one that may go on.
  if (unfinished !== undefined && promoted.some(({ instance }) => instance === unfinished.target.instance)) {
    if (exhausted) return hold('attempts-exhausted', exhaustedText(record));
    const { target, lagBytes } = unfinished;
    return { kind: 'act', action, target, writer: unfinished.writer, writerInstance, lagBytes };
  }
  const second = promoted.find(({ readOnly }) => readOnly !== true);
  if (second !== undefined && action === 'replica') {
    return hold('second-writer', `${second.instance} is out of recovery, and was not made the writer here.`);
  }
  if (second !== undefined) {
    const text = `The engine has made ${second.instance} the writer; the shard's address does not lead there yet.`;
    const waited = now - Date.parse(record.since);
    return record.state !== 'healthy' && waited > engineMs
      ? hold('engine-acts', text)
      : nothing('engine-acts', text);
  }
  if (exhausted) return hold('attempts-exhausted', exhaustedText(record));
  if (automatic && isFlapping(input.probe, policy, now)) {
    const { transitions, windowMinutes } = policy.flapping;
    return hold(
      'flapping',
      `The writer came and went ${transitions} times or more within ${windowMinutes} minutes.`,
    );
  }
  return choose(input, examination, action, writerInstance, false);
}

/** Planned: nothing may be lost, so whatever is not well is a reason not to. */
function decideSwitchover(input: DecisionInput, examination: Examination, action: Acting): Decision {
  const { writer, instances: findings } = examination;
  if (!writer.answers) {
    return nothing(
      'writer-does-not-answer',
      'The writer does not answer: a switchover could lose what it has.',
    );
  }
  const writerInstance = writerInstanceOf(input);
  const second = findings.find(({ role, instance }) => role === 'primary' && instance !== writerInstance);
  if (second !== undefined && writerInstance !== undefined) {
    return nothing('second-writer', `${second.instance} is out of recovery as well.`);
  }
  return choose(input, examination, action, writerInstance, true);
}

function choose(
  input: DecisionInput,
  examination: Examination,
  action: Acting,
  writerInstance: string | undefined,
  planned: boolean,
): Decision {
  const { shard, instances, policy, request, probe, global } = input;
  const choice = chooseCandidate({
    ...{ examination, instances, probe, writerInstance, policy, planned, action },
    globalTargets: global?.others ?? [],
    wanted: request.target,
    acceptedLoss: request.acceptedLoss,
    automatic: request.trigger !== 'request',
  });
  if ('code' in choice) {
    const { code, reason, lagBytes } = choice;
    return { kind: 'nothing', code, reason, hold: !planned, ...(lagBytes !== undefined && { lagBytes }) };
  }
  const { target, lagBytes } = choice;
  const follows = action === 'cluster' && !isInstance(shard.writer, instances);
  const writer = follows ? shard.writer : { host: target.host, port: target.port };
  return { kind: 'act', action, target, writer, writerInstance, lagBytes };
}

/** Whether an address is that of one instance, and not one that follows the writer. */
const isInstance = ({ host, port }: Address, instances: ShardInstances | undefined): boolean =>
  instances?.instances.some((instance) => instance.host === host && instance.port === port) === true;

const exhaustedText = ({ operation }: FailoverRecord): string =>
  `${maximumAttempts} attempts have not brought ${operation?.target.instance ?? 'another instance'} into service.`;

const nothing = (code: Refusal, reason: string): Decision => ({ kind: 'nothing', code, reason, hold: false });
const hold = (code: Refusal, reason: string): Decision => ({ kind: 'nothing', code, reason, hold: true });
