import * as z from 'zod';
import { backupIdSchema } from '../ids.ts';
import { operationSchema } from '../model.ts';

/** Backups of a deployment that was lost. */
export const adoptionRoutes = {
  adopt: {
    method: 'POST',
    path: '/api/disaster-recovery/adopt',
    scope: 'admin',
    once: {},
    summary: 'Take over a backup of another deployment',
    description:
      'For the day that a region is lost: from the copies that `backup.adopt` names, and with the replicas of the lost deployment’s keys, every object is stored anew in this deployment under its own keys, and read back; so are those that it refers to in earlier backups. It becomes a full backup with an id of its own, which is verified, restored and rehearsed like any other, and kept until it is deleted. The copies stay as they are. Followed at `Location`; canceled until the manifest is written.',
    body: z
      .strictObject({
        backupId: backupIdSchema.meta({ description: 'As the lost deployment called it.' }),
      })
      .meta({ title: 'What to adopt' }),
    responses: {
      202: {
        description: 'Accepted.',
        schema: operationSchema,
        headers: { Location: 'Where to follow it.' },
      },
      409: {
        description: 'It was adopted before, or is at the moment: `Location` names the backup or operation.',
      },
      422: { description: 'The deployment names no copies to adopt from.' },
    },
  },
} as const;
