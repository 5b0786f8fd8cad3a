import * as z from 'zod';
import { defineContract } from '../shared/contract.ts';
import { addressRoutes } from './addresses/contract.ts';
import { auditFunctions, auditRoutes } from './audit/contract.ts';
import { gateEnvironment } from './environment.ts';
import { keyRoutes } from './keys/contract.ts';
import { limitRoutes } from './limits/contract.ts';
import { tenantRoutes } from './tenants/contract.ts';
import { webhookApiEnvironment, webhookFunctions, webhookRoutes } from './webhooks/contract.ts';

/** Tenants, API keys, limits, the audit trail and webhooks. */
export const accessContract = defineContract({
  name: 'access',
  title: 'Access',
  description: 'Who may call what, how often? Who did what? Who is told?',
  routes: {
    ...keyRoutes,
    ...tenantRoutes,
    ...limitRoutes,
    ...addressRoutes,
    ...auditRoutes,
    ...webhookRoutes,
  },
  functions: {
    api: {
      environment: z.object({
        ...gateEnvironment.shape,
        ...webhookApiEnvironment,
        EVENT_BUS_NAME: z.string().min(1).describe('The platform’s event bus.'),
      }),
    },
    ...auditFunctions,
    ...webhookFunctions,
  },
});
