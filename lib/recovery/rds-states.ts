import { Aws } from 'aws-cdk-lib';
import { retry, type State, type States } from '../constructs/states.ts';

/**
 * How long is waited between two looks, in seconds. Locally a cluster is there in a second, on AWS in a quarter of an hour, a large
 * one in some hours: six in all.
 */
const waits = [
  ...[2, 3, 5, 10, 15, 20],
  ...Array.from({ length: 4 }, () => 30),
  ...Array.from({ length: 10 }, () => 60),
  ...Array.from({ length: 20 }, () => 120),
  ...Array.from({ length: 60 }, () => 300),
];

/** Statuses that nothing follows. */
const hopeless = [
  'failed',
  'deleting',
  'inaccessible-encryption-credentials',
  'incompatible-restore',
  'incompatible-parameters',
  'incompatible-network',
  'storage-full',
];

const resource = (call: string) => `arn:${Aws.PARTITION}:states:::aws-sdk:rds:${call}`;
/** Throttling and the like; what is wrong with the parameters is wrong three more times. */
const busy = retry(['Rds.SdkClientException', 'Rds.RdsException', 'States.Timeout'], 4);

/** Has RDS make something. That it is there already is as good. */
export function rdsTask(
  call: string,
  parameters: State,
  { exists, next }: { exists: string; next: string },
): State {
  return {
    Type: 'Task',
    Resource: resource(call),
    Parameters: parameters,
    ResultPath: null,
    TimeoutSeconds: 120,
    Retry: [busy],
    Catch: [{ ErrorEquals: [exists], ResultPath: null, Next: next }],
    Next: next,
  };
}

/** States, from `StartWaitingFor<what>` on, that wait until RDS says that something is available. */
export function pollUntilAvailable(
  what: string,
  options: { call: string; parameters: State; status: string; next: string },
): States {
  return {
    [`StartWaitingFor${what}`]: {
      Type: 'Pass',
      Result: { count: 0, waits },
      ResultPath: '$.poll',
      Next: `Look${what}`,
    },
    [`Look${what}`]: {
      Type: 'Task',
      Resource: resource(options.call),
      Parameters: options.parameters,
      ResultSelector: { 'status.$': options.status },
      ResultPath: '$.seen',
      TimeoutSeconds: 60,
      Retry: [busy],
      Next: `Is${what}Available`,
    },
    [`Is${what}Available`]: {
      Type: 'Choice',
      Choices: [
        { Variable: '$.seen.status', StringEquals: 'available', Next: options.next },
        {
          Or: hopeless.map((status) => ({ Variable: '$.seen.status', StringEquals: status })),
          Next: `${what}Failed`,
        },
        { Variable: '$.poll.count', NumericGreaterThanEquals: waits.length, Next: `${what}Failed` },
      ],
      Default: `ChooseWaitFor${what}`,
    },
    [`ChooseWaitFor${what}`]: {
      Type: 'Pass',
      Parameters: {
        'count.$': 'States.MathAdd($.poll.count, 1)',
        'seconds.$': 'States.ArrayGetItem($.poll.waits, $.poll.count)',
        'waits.$': '$.poll.waits',
      },
      ResultPath: '$.poll',
      Next: `WaitFor${what}`,
    },
    [`WaitFor${what}`]: { Type: 'Wait', SecondsPath: '$.poll.seconds', Next: `Look${what}` },
    [`${what}Failed`]: {
      Type: 'Fail',
      Error: `Restored${what}NotAvailable`,
      CausePath: `States.Format('${what} of {}: RDS says {} and not available.', $.shard.identifier, $.seen.status)`,
    },
  };
}
