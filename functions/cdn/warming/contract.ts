import * as z from 'zod';
import type { RouteContract } from '../../shared/contract.ts';
import { pageQuery } from '../../shared/paging.ts';
import { warmingIdSchema } from '../ids.ts';
import { popularBodySchema, resultSchema, userBodySchema, warmBodySchema, warmingSchema } from './model.ts';
import { scheduleBodySchema, scheduleIdSchema, scheduleSchema } from './schedules/model.ts';
import { userIdSchema } from './user-paths.ts';

const params = z.strictObject({ warmingId: warmingIdSchema });
const scheduleParams = z.strictObject({ scheduleId: scheduleIdSchema });
const accepted = {
  description: 'Accepted.',
  schema: warmingSchema,
  headers: { Location: 'Where to follow it.' },
};
const notFound = { description: 'There is no warming of that id.' };
const noProvider = { description: 'There is no provider.' };
const unfit = { description: 'A path is none, there is no such website, or it is too much at once.' };

/** The routes of warming. */
export const warmingRoutes = {
  warm: {
    method: 'POST',
    path: '/api/cdn/warming/warm',
    scope: 'admin',
    once: {},
    summary: 'Put paths into the cache',
    description:
      'Each path is asked for as browsers do, in the variants that matter, from hosts of the own edge alone; redirects are not followed. One warming is at work at a time: urgent ones first, then in the order in which they came.',
    body: warmBodySchema,
    responses: { 202: accepted, 409: noProvider, 422: unfit },
  },
  warmPopular: {
    method: 'POST',
    path: '/api/cdn/warming/popular',
    scope: 'admin',
    once: {},
    summary: 'Put the most wanted paths into the cache',
    description:
      'By the analytics of the last day: of all websites together, or of one tenant. What was asked for and is no path that an edge can have is left out.',
    body: popularBodySchema,
    responses: {
      202: accepted,
      409: { description: 'There is no provider, or the analytics know of no requests within the last day.' },
      422: unfit,
    },
  },
  warmUser: {
    method: 'POST',
    path: '/api/cdn/warming/user/{userId}',
    scope: 'admin',
    once: {},
    summary: 'Put the paths of one user into the cache',
    description: 'Those of `cdn.warming.userPaths`, with the user’s id in its place.',
    params: z.strictObject({ userId: userIdSchema }),
    body: userBodySchema,
    responses: {
      202: accepted,
      409: { description: 'There is no provider, or no template of paths is configured.' },
      422: unfit,
    },
  },
  getWarming: {
    method: 'GET',
    path: '/api/cdn/warming/{warmingId}',
    scope: 'cdn:read',
    summary: 'One warming, with its progress',
    params,
    responses: { 200: { description: 'The warming.', schema: warmingSchema }, 404: notFound },
  },
  getWarmingResults: {
    method: 'GET',
    path: '/api/cdn/warming/{warmingId}/results',
    scope: 'cdn:read',
    summary: 'What became of each request of a warming',
    params,
    query: z.strictObject(pageQuery),
    responses: {
      200: {
        description: 'One page, in the order in which they were made.',
        schema: z
          .strictObject({ results: z.array(resultSchema), nextToken: z.string().nullable() })
          .meta({ title: 'Page of requests' }),
      },
      404: notFound,
    },
  },
  cancelWarming: {
    method: 'POST',
    path: '/api/cdn/warming/{warmingId}/cancel',
    scope: 'admin',
    summary: 'Cancel a warming',
    description: 'Requests that are under way are finished. Canceling twice is the same as once.',
    params,
    responses: { 202: accepted, 404: notFound, 409: { description: 'It has ended.' } },
  },
  createWarmingSchedule: {
    method: 'POST',
    path: '/api/cdn/warming/schedule',
    scope: 'admin',
    once: {},
    summary: 'Warm again and again',
    body: scheduleBodySchema,
    responses: {
      201: { description: 'The schedule.', schema: scheduleSchema, headers: { Location: 'Where it is.' } },
      409: { description: 'There is no provider, or there are 50 schedules.' },
      422: { description: 'The expression, the time zone, a path or the website is not valid.' },
    },
  },
  listWarmingSchedules: {
    method: 'GET',
    path: '/api/cdn/warming/schedules',
    scope: 'admin',
    summary: 'The schedules of warmings',
    responses: {
      200: {
        description: 'All of them, oldest first.',
        schema: z
          .strictObject({ schedules: z.array(scheduleSchema) })
          .meta({ title: 'Schedules of warmings' }),
      },
    },
  },
  getWarmingSchedule: {
    method: 'GET',
    path: '/api/cdn/warming/schedules/{scheduleId}',
    scope: 'admin',
    summary: 'One schedule of warmings',
    params: scheduleParams,
    responses: {
      200: { description: 'The schedule.', schema: scheduleSchema },
      404: { description: 'There is no schedule of that id.' },
    },
  },
  removeWarmingSchedule: {
    method: 'DELETE',
    path: '/api/cdn/warming/schedules/{scheduleId}',
    scope: 'admin',
    summary: 'Remove a schedule of warmings',
    description: 'What it has started goes on.',
    params: scheduleParams,
    responses: {
      204: { description: 'There is no schedule of that id any more.' },
      404: { description: 'There was none.' },
    },
  },
} as const satisfies Record<string, RouteContract>;
