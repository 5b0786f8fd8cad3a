import { accessContract } from './access/contract.ts';
import { bootstrapContract } from './bootstrap/contract.ts';
import { cdnContract } from './cdn/contract.ts';
import { failoverContract } from './failover/contract.ts';
import { metricsContract } from './metrics/contract.ts';
import { monitoringContract } from './monitoring/contract.ts';
import { recoveryContract } from './recovery/contract.ts';
import { referenceContract } from './reference/contract.ts';
import { shardsContract } from './shards/contract.ts';
import type { CapabilityContract } from './shared/contract.ts';
import { tracingContract } from './tracing/contract.ts';

/** The contract of every capability: what infrastructure, the API's description and tests read. */
export const contracts: readonly CapabilityContract[] = [
  recoveryContract,
  failoverContract,
  shardsContract,
  tracingContract,
  cdnContract,
  monitoringContract,
  metricsContract,
  accessContract,
  referenceContract,
  bootstrapContract,
];
