import type { Stack } from 'aws-cdk-lib';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { invocationMark } from '../../functions/shared/invocation-line.ts';
import { BundledFunction } from '../constructs/function.ts';
import type { HttpApi } from '../constructs/http-api.ts';
import { Workflow } from '../constructs/workflow.ts';

export interface LogQueriesProps {
  /** Name of the environment. */
  environment: string;
  api: HttpApi;
  /** Whose functions and workflows are asked about. */
  stacks: readonly Stack[];
}

/** A query looks at so many log groups at most. */
const mostGroups = 50;

/** Lines in which functions tell of their invocations, and those of them that were requests. */
const invocations = `filter kind = "${invocationMark}"`;
const requests = `${invocations} and ispresent(route)`;

/** Questions about the log groups of functions. */
const ofFunctions: Readonly<Record<string, readonly string[]>> = {
  'Lines of a trace': [
    'fields @timestamp, level, service, function_name, message, error.message',
    // To be replaced by the one that a problem, a trace or an alarm names.
    'filter traceId = "00000000000000000000000000000000"',
    'sort @timestamp asc',
    'limit 1000',
  ],
  'Errors by message': [
    'filter level = "ERROR"',
    'stats count(*) as errors, max(@timestamp) as latest, latest(traceId) as example by service, message, error.name, error.message',
    'sort errors desc',
    'limit 100',
  ],
  'Requests by route': [
    requests,
    'stats count(*) as requests, sum(status >= 500) as failed, sum(status >= 400 and status < 500) as refused, pct(durationMs, 50) as p50, pct(durationMs, 95) as p95, pct(durationMs, 99) as p99 by route',
    'sort requests desc',
  ],
  'Slowest requests': [
    'fields @timestamp, route, status, durationMs, coldStart, tenant, traceId',
    requests,
    'sort durationMs desc',
    'limit 50',
  ],
  'Requests by tenant': [
    `${requests} and ispresent(tenant)`,
    'stats count(*) as requests, sum(status >= 500) as failed, sum(durationMs) as totalMs, pct(durationMs, 95) as p95 by tenant',
    'sort totalMs desc',
  ],
  'Cold starts and memory by function': [
    invocations,
    'stats count(*) as invocations, sum(coldStart) as coldStarts, max(memoryBytes / memoryLimitBytes) as memoryUsed, pct(durationMs, 95) as p95 by service, fn',
    'sort memoryUsed desc',
  ],
};

const refused = [
  'filter status like /^(401|403|429)$/',
  'stats count(*) as requests by sourceIp, routeKey, status',
  'sort requests desc',
  'limit 100',
];
const failedWorkflows = [
  'filter type in ["ExecutionFailed", "ExecutionTimedOut", "ExecutionAborted", "TaskFailed", "LambdaFunctionFailed"]',
  'fields @timestamp, type, execution_arn, details.error, details.cause',
  'sort @timestamp desc',
  'limit 100',
];

/**
 * Saves the usual questions to logs where CloudWatch Logs Insights offers them, in the folder `Mainstay/<environment>`: those about
 * functions once for each stack, because a query has room for fifty log groups.
 */
export function addLogQueries(scope: Construct, { environment, api, stacks }: LogQueriesProps): void {
  const add = (name: string, lines: readonly string[], logGroupNames: readonly string[]): void => {
    if (logGroupNames.length > mostGroups)
      throw new Error(`The query ${name} is about more than ${mostGroups} log groups.`);
    new logs.CfnQueryDefinition(scope, `Query-${name.replaceAll(/[^\w]+/g, '-')}`, {
      name: `Mainstay/${environment}/${name}`,
      queryString: lines.join('\n| '),
      logGroupNames: [...logGroupNames],
    });
  };
  for (const stack of stacks) {
    const groups = stack.node
      .findAll()
      .flatMap((node) => (node instanceof BundledFunction ? [node.logGroup.logGroupName] : []));
    const suffix = stack.stackName.split('-').at(-1);
    for (const [name, lines] of Object.entries(ofFunctions)) add(`${name}: ${suffix}`, lines, groups);
  }
  add('Refused callers', refused, [api.accessLog.logGroupName]);
  const workflows = stacks.flatMap((stack) =>
    stack.node.findAll().flatMap((node) => (node instanceof Workflow ? [node.logGroupName] : [])),
  );
  add('Failed workflows', failedWorkflows, workflows);
}
