import type { RouteHandlers } from '../../../shared/http-handler.ts';
import { Problem } from '../../../shared/problem.ts';
import { readSchedule } from '../../../shared/schedules/schedule-expression.ts';
import { warmingIdSchema } from '../../ids.ts';
import { answerProvider } from '../../provider-problems.ts';
import { InvalidRequestError } from '../../providers/errors.ts';
import type { QueryStrings } from '../../providers/normalise.ts';
import type { EdgeProvider } from '../../providers/provider.ts';
import { isNamed } from '../../providers/sites.ts';
import type { warmingRoutes } from '../contract.ts';
import { newWarming, type Place } from '../request.ts';
import { mostSchedules, type ScheduleBody, type ScheduleRecord, scheduleIdSchema } from './model.ts';
import type { ScheduleStore } from './schedule-store.ts';
import type { WarmingSchedules } from './warming-schedules.ts';

export interface SchedulesApiDependencies {
  readonly provider: EdgeProvider | undefined;
  readonly queryStrings: QueryStrings;
  readonly locations: Place['locations'];
  readonly schedules: ScheduleStore;
  readonly scheduler: Pick<WarmingSchedules, 'create' | 'remove'>;
  readonly now: () => number;
}

type ScheduleHandlers = Pick<
  RouteHandlers<typeof warmingRoutes>,
  'createWarmingSchedule' | 'listWarmingSchedules' | 'getWarmingSchedule' | 'removeWarmingSchedule'
>;

const none = () => new Problem('not-found', 'There is no schedule of that id.');

/** The routes of schedules of warmings. */
export function scheduleHandlers(deps: SchedulesApiDependencies): ScheduleHandlers {
  const { schedules, scheduler, now } = deps;
  const show = (record: ScheduleRecord) => ({ ...record, nextRunAt: nextRun(record, now()) });
  return {
    createWarmingSchedule: ({ body, caller, workId, log }) =>
      answerProvider(deps.provider, async (provider) => {
        const id = scheduleIdSchema.parse(workId);
        const known = await schedules.get(id);
        if (known === undefined) await check(deps, provider, body);
        const createdAt = new Date(now()).toISOString();
        const record = known ?? { ...body, id, createdAt, createdBy: caller.keyId };
        // Kept first: cut short in between, it is seen, can be removed, and is finished by asking again.
        await schedules.put(record);
        await scheduler.create(record);
        log.info('Schedule of warmings made', { scheduleId: id, expression: record.expression });
        const location = `/api/cdn/warming/schedules/${id}`;
        return { status: 201, headers: { location }, body: show(record) };
      }),

    listWarmingSchedules: async () => ({
      status: 200,
      body: { schedules: (await schedules.list()).map(show) },
    }),

    getWarmingSchedule: async ({ params }) => {
      const record = await schedules.get(params.scheduleId);
      if (record === undefined) throw none();
      return { status: 200, body: show(record) };
    },

    removeWarmingSchedule: async ({ params, log }) => {
      const record = await schedules.get(params.scheduleId);
      if (record === undefined) throw none();
      await scheduler.remove(record.id);
      await schedules.remove(record.id);
      log.info('Schedule of warmings removed', { scheduleId: record.id });
      return { status: 204 };
    },
  };
}

/** @throws InvalidRequestError, UnknownSiteError, Problem */
async function check(
  { schedules, queryStrings, locations, now }: SchedulesApiDependencies,
  provider: EdgeProvider,
  body: ScheduleBody,
): Promise<void> {
  requireComing(body, now());
  const { domain } = await provider.target({ website: body.website, tenant: body.tenant });
  // What would be refused when it is due is refused now.
  const about = {
    id: warmingIdSchema.parse('0'.repeat(26)),
    trigger: 'schedule',
    traceparent: '',
    now: 0,
  } as const;
  const { paths = mostVariants(body), popular } = body;
  const place = { domain, locations: isNamed(body) ? [] : locations };
  newWarming(paths, body, place, queryStrings, about, popular === undefined ? 'paths' : 'popular');
  if ((await schedules.list()).length >= mostSchedules) {
    throw new Problem('conflict', `There are ${mostSchedules} schedules: remove one first.`);
  }
}

/** As many paths as are wanted, each in as many variants as a path can have. */
function mostVariants({ popular = 0, imageFormats }: ScheduleBody): string[] {
  const end = imageFormats.length > 0 ? 'png' : 'css';
  return Array.from({ length: popular }, (_, index) => `/${index}.${end}`);
}

function requireComing({ expression, timezone }: ScheduleBody, now: number): void {
  const refuse = (field: string, message: string): never => {
    throw new InvalidRequestError([{ field: `body.${field}`, message }]);
  };
  try {
    readSchedule('rate(1 day)', now, timezone);
  } catch {
    refuse('timezone', `${timezone} is not the name of a time zone`);
  }
  let next: number | undefined;
  try {
    next = readSchedule(expression, now, timezone).next(now);
  } catch (error) {
    refuse('expression', error instanceof Error ? error.message : String(error));
  }
  if (next === undefined) refuse('expression', `${expression} never comes`);
}

function nextRun({ expression, timezone, enabled }: ScheduleRecord, now: number): string | null {
  if (!enabled || !expression.startsWith('cron(')) return null;
  const next = readSchedule(expression, now, timezone).next(now);
  return next === undefined ? null : new Date(next).toISOString();
}
