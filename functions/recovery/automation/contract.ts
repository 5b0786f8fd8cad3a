import type { RouteContract } from '../../shared/contract.ts';
import { automationBodySchema, automationSchema } from './model.ts';

const path = '/api/disaster-recovery/automate';

/** When backups are taken by themselves, and how long they are kept. */
export const automationRoutes = {
  setAutomation: {
    method: 'POST',
    path,
    scope: 'admin',
    once: {},
    summary: 'Set when backups are taken and how long they are kept',
    description:
      'Creates the automation or replaces all of it: what the body leaves out gets its default. Doing it again changes nothing, and finishes what was cut short. Backups keep at least the `keepUntil` they have.',
    body: automationBodySchema,
    responses: {
      200: { description: 'The automation as it is now.', schema: automationSchema },
      409: { description: 'Somebody else changed it at the same time.' },
      422: { description: 'A schedule expression or the time zone is not valid; nothing was changed.' },
    },
  },
  getAutomation: {
    method: 'GET',
    path,
    scope: 'admin',
    summary: 'When backups are taken and how long they are kept',
    responses: {
      200: { description: 'The automation.', schema: automationSchema },
      404: { description: 'No backups are taken by themselves.' },
    },
  },
  removeAutomation: {
    method: 'DELETE',
    path,
    scope: 'admin',
    summary: 'Take no more backups automatically',
    description:
      'Removes the schedules and the rule. Backups that exist keep their `keepUntil`; later ones are kept until they are deleted, unless they ask for less.',
    responses: {
      204: { description: 'There is no automation any more.' },
      404: { description: 'There was none.' },
      409: { description: 'Somebody else changed it at the same time.' },
    },
  },
} as const satisfies Record<string, RouteContract>;
