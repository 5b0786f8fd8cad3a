import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { failoverContract } from '../../functions/failover/contract.ts';
import type { Delivery } from '../constructs/dead-letters.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import type { Network } from '../stateful/network.ts';

export type FailoverFunctionName = keyof typeof failoverContract.functions;
export type FailoverFunctions = Readonly<Record<FailoverFunctionName, BundledFunction>>;

interface Size {
  description: string;
  memoryMiB: number;
  timeout: Duration;
  inNetwork?: true;
  /** Invoked asynchronously too. */
  asynchronous?: true;
}

const sizes: Record<FailoverFunctionName, Size> = {
  probe: {
    description: 'Looks every few seconds whether the writers serve and the readers follow',
    // It mostly waits, and is paid for while it does.
    memoryMiB: 256,
    // A minute of slots, the last of which may take its time.
    timeout: Duration.seconds(90),
    inNetwork: true,
  },
  api: {
    description: 'Serves the API of failover',
    memoryMiB: 512,
    // It waits for a decision, which waits for the databases.
    timeout: Duration.seconds(28),
  },
  failover: {
    description: 'Decides about writers that do not serve, and looks after what is unfinished',
    memoryMiB: 512,
    timeout: Duration.minutes(2),
    asynchronous: true,
  },
  operate: {
    description: 'Looks at instances, fences, promotes, proves a writer',
    // One full CPU comes with this much: what it does is waited for.
    memoryMiB: 1769,
    timeout: Duration.minutes(2),
    inNetwork: true,
  },
  'conclude-failover': {
    description: 'Records how a failover ended',
    memoryMiB: 512,
    timeout: Duration.minutes(1),
    asynchronous: true,
  },
};

/** Creates the functions of failover, without grants yet. */
export function createFunctions(
  scope: Construct,
  settings: FunctionSettings,
  network: Network,
  deadLetters: Delivery,
): FailoverFunctions {
  const create = (name: FailoverFunctionName): BundledFunction => {
    const { description, memoryMiB, timeout, inNetwork, asynchronous } = sizes[name];
    return new BundledFunction(scope, constructId(name), {
      settings,
      contract: failoverContract,
      name,
      description,
      memoryMiB,
      timeout,
      ...(inNetwork === true && { network }),
      ...(asynchronous === true && { onFailure: deadLetters }),
    });
  };
  return {
    probe: create('probe'),
    api: create('api'),
    failover: create('failover'),
    operate: create('operate'),
    'conclude-failover': create('conclude-failover'),
  };
}

/** `conclude-failover` becomes `ConcludeFailover`. */
function constructId(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}
