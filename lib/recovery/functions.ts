import { Duration } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { recoveryContract } from '../../functions/recovery/contract.ts';
import type { DeadLetters } from '../constructs/dead-letters.ts';
import { BundledFunction, type FunctionSettings } from '../constructs/function.ts';
import type { Network } from '../stateful/network.ts';

export type RecoveryFunctionName = keyof typeof recoveryContract.functions;
export type RecoveryFunctions = Readonly<Record<RecoveryFunctionName, BundledFunction>>;

/** One full CPU comes with this much memory. The pipeline streams, so it is there for the CPU. */
const oneCpuMiB = 1769;
/** The longest that Lambda allows. */
const longest = Duration.minutes(15);

interface Size {
  description: string;
  memoryMiB: number;
  timeout: Duration;
  inNetwork?: true;
  /** Invoked asynchronously too. */
  asynchronous?: true;
}

const sizes: Record<RecoveryFunctionName, Size> = {
  api: { description: 'Serves the recovery API', memoryMiB: 512, timeout: Duration.seconds(28) },
  plan: { description: 'Chooses shards and instances', memoryMiB: 256, timeout: Duration.minutes(1) },
  'hold-snapshot': {
    description: 'Holds the exported snapshot of a shard',
    memoryMiB: oneCpuMiB,
    timeout: longest,
    inNetwork: true,
  },
  'dump-schema': {
    description: 'Stores the DDL and the sequences of a shard',
    memoryMiB: oneCpuMiB,
    timeout: longest,
    inNetwork: true,
  },
  'plan-chunks': {
    description: 'Divides the tables of a shard into chunks',
    memoryMiB: 1024,
    timeout: Duration.minutes(5),
  },
  'chunk-pipeline': {
    description: 'Copies, compresses, encrypts, hashes and stores a chunk',
    memoryMiB: oneCpuMiB,
    timeout: longest,
    inNetwork: true,
  },
  'verify-chunk': { description: 'Reads stored objects back', memoryMiB: oneCpuMiB, timeout: longest },
  commit: { description: 'Writes the manifest of a backup', memoryMiB: 1024, timeout: longest },
  release: { description: 'Releases the snapshot of a shard', memoryMiB: 256, timeout: Duration.minutes(1) },
  conclude: {
    description: 'Records how a failed or canceled backup ended',
    memoryMiB: 256,
    timeout: Duration.minutes(2),
    asynchronous: true,
  },
  'plan-verification': {
    description: 'Checks a manifest and lists its objects',
    memoryMiB: 1024,
    timeout: Duration.minutes(5),
  },
  'conclude-verification': {
    description: 'Sums up a verification',
    memoryMiB: 512,
    timeout: Duration.minutes(2),
  },
  sweep: {
    description: 'Removes what deleted, expired, failed and canceled backups left',
    memoryMiB: 512,
    timeout: longest,
    asynchronous: true,
  },
  'derive-escrow': {
    description: 'Makes the wrapping key of the escrow passphrase',
    // The derivation takes 128 MiB.
    memoryMiB: 1024,
    timeout: Duration.minutes(1),
    asynchronous: true,
  },
  expire: {
    description: 'Marks backups as expired that nothing keeps',
    memoryMiB: 512,
    timeout: Duration.minutes(5),
    asynchronous: true,
  },
  'plan-restore': {
    description: 'Checks a manifest and plans a restore',
    memoryMiB: 1024,
    timeout: Duration.minutes(5),
  },
  'restore-database': {
    description: 'Makes, finishes, swaps and removes restored databases',
    memoryMiB: 1024,
    timeout: longest,
    inNetwork: true,
    asynchronous: true,
  },
  'restore-rows': {
    description: 'Loads restored rows, and reads them again to compare them',
    memoryMiB: oneCpuMiB,
    timeout: longest,
    inNetwork: true,
  },
  'conclude-restore': {
    description: 'Judges and completes a restore',
    memoryMiB: 512,
    timeout: Duration.minutes(5),
  },
  'plan-drill': {
    description: 'Chooses what a drill restores',
    memoryMiB: 1024,
    timeout: Duration.minutes(10),
  },
  'check-drill': {
    description: 'Checks the scratch database of a drill',
    memoryMiB: 512,
    timeout: longest,
    inNetwork: true,
  },
  'conclude-drill': {
    description: 'Measures and reports drills',
    memoryMiB: 512,
    timeout: Duration.minutes(2),
    asynchronous: true,
  },
  'point-in-time': {
    description: 'Plans, finds and completes restores to points in time',
    memoryMiB: 512,
    timeout: Duration.minutes(5),
  },
  'check-point-in-time': {
    description: 'Looks at a restored cluster from inside the network',
    memoryMiB: 256,
    timeout: Duration.minutes(2),
    inNetwork: true,
  },
  'discard-point-in-time': {
    description: 'Removes clusters that failed and canceled restores made',
    memoryMiB: 256,
    timeout: Duration.minutes(5),
    asynchronous: true,
  },
  'start-import': {
    description: 'Starts the import of what was uploaded',
    memoryMiB: 256,
    timeout: Duration.minutes(1),
    asynchronous: true,
  },
  'plan-import': {
    description: 'Looks at an upload and divides it into segments',
    memoryMiB: 512,
    timeout: Duration.minutes(5),
  },
  'import-segment': {
    description: 'Compresses, encrypts, hashes, stores and verifies a segment of a dump',
    memoryMiB: oneCpuMiB,
    timeout: longest,
  },
  'digest-upload': { description: 'Hashes a whole dump', memoryMiB: oneCpuMiB, timeout: longest },
  'commit-import': { description: 'Writes the manifest of an import', memoryMiB: 1024, timeout: longest },
  'restore-import': { description: 'Restores an import', memoryMiB: oneCpuMiB, timeout: longest },
  'plan-files': { description: 'Lists the files, and stores the list', memoryMiB: 1024, timeout: longest },
  'copy-files': { description: 'Copies files to the store', memoryMiB: oneCpuMiB, timeout: longest },
  'restore-files': { description: 'Puts files back', memoryMiB: oneCpuMiB, timeout: longest },
  'dump-configuration': {
    description: 'Stores the configuration without secrets, and compares it',
    memoryMiB: 1024,
    timeout: Duration.minutes(5),
  },
  'reencrypt-backup': {
    description: 'Plans re-encryptions of backups, and replaces their manifests',
    memoryMiB: 1024,
    timeout: longest,
  },
  'reencrypt-objects': {
    description: 'Stores objects of a backup anew under the present keys',
    memoryMiB: oneCpuMiB,
    timeout: longest,
  },
  'stage-object': {
    description: 'Encrypts, decrypts, compresses or hashes one stored object',
    memoryMiB: oneCpuMiB,
    timeout: longest,
  },
};

/** Creates the functions of the capability, without grants yet. */
export function createFunctions(
  scope: Construct,
  settings: FunctionSettings,
  network: Network,
  deadLetters: DeadLetters,
): RecoveryFunctions {
  const create = (name: RecoveryFunctionName): BundledFunction => {
    const { description, memoryMiB, timeout, inNetwork, asynchronous } = sizes[name];
    return new BundledFunction(scope, constructId(name), {
      settings,
      contract: recoveryContract,
      name,
      description,
      memoryMiB,
      timeout,
      ...(inNetwork === true && { network }),
      ...(asynchronous === true && { onFailure: deadLetters }),
    });
  };
  return {
    api: create('api'),
    plan: create('plan'),
    'hold-snapshot': create('hold-snapshot'),
    'dump-schema': create('dump-schema'),
    'plan-chunks': create('plan-chunks'),
    'chunk-pipeline': create('chunk-pipeline'),
    'verify-chunk': create('verify-chunk'),
    commit: create('commit'),
    release: create('release'),
    conclude: create('conclude'),
    'plan-verification': create('plan-verification'),
    'conclude-verification': create('conclude-verification'),
    sweep: create('sweep'),
    'derive-escrow': create('derive-escrow'),
    expire: create('expire'),
    'plan-restore': create('plan-restore'),
    'restore-database': create('restore-database'),
    'restore-rows': create('restore-rows'),
    'conclude-restore': create('conclude-restore'),
    'plan-drill': create('plan-drill'),
    'check-drill': create('check-drill'),
    'conclude-drill': create('conclude-drill'),
    'point-in-time': create('point-in-time'),
    'check-point-in-time': create('check-point-in-time'),
    'discard-point-in-time': create('discard-point-in-time'),
    'start-import': create('start-import'),
    'plan-import': create('plan-import'),
    'import-segment': create('import-segment'),
    'digest-upload': create('digest-upload'),
    'commit-import': create('commit-import'),
    'restore-import': create('restore-import'),
    'stage-object': create('stage-object'),
    'reencrypt-backup': create('reencrypt-backup'),
    'reencrypt-objects': create('reencrypt-objects'),
    'plan-files': create('plan-files'),
    'copy-files': create('copy-files'),
    'restore-files': create('restore-files'),
    'dump-configuration': create('dump-configuration'),
  };
}

/** `hold-snapshot` becomes `HoldSnapshot`. */
function constructId(name: string): string {
  return name.replace(/(^|-)([a-z])/g, (_, __, letter: string) => letter.toUpperCase());
}
