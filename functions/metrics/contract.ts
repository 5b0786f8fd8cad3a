import * as z from 'zod';
import { gateEnvironment } from '../access/environment.ts';
import { defineContract } from '../shared/contract.ts';
import { alertRoutes } from './alerts/contract.ts';
import { cacheRoutes } from './caches/contract.ts';
import { sourcesVariable } from './cloud/sources.ts';
import { expositionRoutes } from './exposition/contract.ts';
import { logDeliverySchema } from './observe/delivery.ts';
import { reportedRoutes } from './reported/contract.ts';
import { summaryRoutes } from './summary/contract.ts';
import { systemRoutes } from './system/contract.ts';

const tableEnvironment = z.object({ MONITORING_TABLE: z.string().min(1) });

export const metricsContract = defineContract({
  name: 'metrics',
  title: 'Metrics and alarms',
  description: 'How much is asked, what fails, how slow it is, and which alarms are raised.',
  routes: {
    ...{ ...summaryRoutes, ...systemRoutes, ...cacheRoutes, ...alertRoutes },
    ...{ ...expositionRoutes, ...reportedRoutes },
  },
  functions: {
    api: {
      environment: gateEnvironment.extend({
        ...tableEnvironment.shape,
        /** What the names of the deployment's alarms begin with. */
        ALARM_PREFIX: z.string().min(1),
        MAINSTAY_ENVIRONMENT: z.string().min(1),
        MAINSTAY_VERSION: z.string().min(1),
        /** Set by Lambda, in MiB. */
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE: z.coerce.number().int().min(0).default(0),
      }),
    },
    /** Takes what services report: reads and writes the monitoring table. */
    ingest: { environment: gateEnvironment.extend(tableEnvironment.shape) },
    /** Sent what functions tell of their invocations in their logs. */
    observe: {
      environment: tableEnvironment.extend({
        /** Table of spans (`BatchWriteItem`). */
        TRACING_TABLE: z.string().min(1),
        TRACING_RETENTION_DAYS: z.coerce.number().int().min(1),
      }),
      event: logDeliverySchema,
    },
    /** Every minute: takes what functions have told into the totals. */
    count: { environment: tableEnvironment, event: z.strictObject({}) },
    /** Every few minutes: reads what only CloudWatch has, while somebody asks for metrics. */
    'read-cloud': {
      environment: tableEnvironment.extend({
        /** Table of shards (`Query`). */
        SHARDS_TABLE: z.string().min(1),
        SOURCES: sourcesVariable,
      }),
      event: z.strictObject({}),
    },
  },
});
