import type { IncomingMessage, ServerResponse } from 'node:http';
import * as z from 'zod';

/** A request for sampling targets says what was sampled; larger ones are not from an SDK. */
const bodyLimit = 1024 * 1024;

const statisticsSchema = z.object({
  SamplingStatisticsDocuments: z.array(z.object({ RuleName: z.string() })).default([]),
});

/** The one rule there is: everything is sampled. */
const rule = {
  RuleName: 'Default',
  RuleARN: 'arn:aws:xray:us-east-1:000000000000:sampling-rule/Default',
  Priority: 10_000,
  FixedRate: 1,
  ReservoirSize: 1,
  Host: '*',
  HTTPMethod: '*',
  URLPath: '*',
  ServiceName: '*',
  ServiceType: '*',
  ResourceARN: '*',
  Version: 1,
  Attributes: {},
};

/**
 * What the daemon answers over HTTP: `GetSamplingRules` and `SamplingTargets`, which SDKs outside
 * Lambda ask for while they run, and log an error when they get no answer.
 */
export async function answerSampling(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readText(request);
  if (request.method === 'POST' && request.url === '/GetSamplingRules') {
    return send(response, 200, {
      SamplingRuleRecords: [{ SamplingRule: rule, CreatedAt: 0, ModifiedAt: 0 }],
      NextToken: null,
    });
  }
  if (request.method === 'POST' && request.url === '/SamplingTargets') {
    const statistics = body === undefined ? undefined : parse(body);
    if (statistics === undefined) return send(response, 400, { message: 'Statistics were expected.' });
    return send(response, 200, {
      SamplingTargetDocuments: statistics.map(({ RuleName }) => ({
        RuleName,
        FixedRate: rule.FixedRate,
        Interval: 10,
      })),
      LastRuleModification: 0,
      UnprocessedStatistics: [],
    });
  }
  const named = `${request.method} ${request.url}`;
  return send(response, 501, { message: `The local runtime does not emulate the X-Ray daemon's ${named}.` });
}

function parse(body: string): { RuleName: string }[] | undefined {
  try {
    return statisticsSchema.parse(JSON.parse(body)).SamplingStatisticsDocuments;
  } catch {
    return undefined;
  }
}

async function readText(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > bodyLimit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
