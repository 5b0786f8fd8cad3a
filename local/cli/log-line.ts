import * as z from 'zod';

/** What every line of a function holds and a person does not need on each. */
const known = {
  level: z.string(),
  message: z.string(),
  timestamp: z.string().optional(),
  service: z.unknown().optional(),
  cold_start: z.unknown().optional(),
  function_arn: z.unknown().optional(),
  function_memory_size: z.unknown().optional(),
  function_name: z.unknown().optional(),
  function_request_id: z.unknown().optional(),
  sampling_rate: z.unknown().optional(),
  xray_trace_id: z.unknown().optional(),
  error: z.looseObject({ name: z.string(), message: z.string(), stack: z.unknown().optional() }).optional(),
};
const lineSchema = z.object(known).catchall(z.json());

const metricsSchema = z.object({ _aws: z.looseObject({}) });
/** The metrics of an API function tell of one request each. */
const requestSchema = z.object({
  _aws: z.looseObject({ Timestamp: z.number() }),
  route: z.string(),
  status: z.string(),
  Latency: z.number(),
  traceId: z.string().optional(),
});

export interface LogStyle {
  bold(text: string): string;
  dim(text: string): string;
}

const nameWidth = 22;

/**
 * A function's log line as people read it: time, function, message, fields. Lines that are not
 * structured stay as they are; metrics say something when they are about a request.
 *
 * @returns undefined for what only programs read.
 */
export function formatLogLine(
  line: { functionName: string; text: string; timestampMs: number },
  { bold, dim }: LogStyle,
): string | undefined {
  const json = parseJson(line.text);
  const begin = (time: string) => `${dim(time)}  ${shortName(line.functionName).padEnd(nameWidth)}`;
  const request = requestSchema.safeParse(json).data;
  if (request !== undefined) {
    const { route, status, Latency, traceId, _aws } = request;
    const trace = traceId === undefined ? '' : dim(` traceId=${traceId}`);
    return `${begin(timeOf(_aws.Timestamp))} ${route} ${bold(status)} in ${Latency} ms${trace}`;
  }
  if (metricsSchema.safeParse(json).success) return undefined;
  const entry = lineSchema.safeParse(json).data;
  if (entry === undefined) return `${begin(timeOf(line.timestampMs))} ${line.text}`;
  const { level, message, timestamp, error, ...rest } = entry;
  const fields = Object.entries(rest).filter(([name, value]) => !(name in known) && value !== undefined);
  const parts = [
    begin(timeOf(Date.parse(timestamp ?? '') || line.timestampMs)),
    ...(level === 'INFO' ? [] : [bold(level)]),
    message,
    ...(error === undefined ? [] : [bold(`${error.name}: ${error.message}`)]),
    ...fields.map(([name, value]) => dim(`${name}=${shown(value)}`)),
  ];
  return parts.join(' ');
}

/** The part of a generated name that says which function it is: `RecoveryApi`. */
function shortName(functionName: string): string {
  // Stack, logical id and a hash; the logical id is cut off where it is long.
  const generated = /-([A-Za-z0-9]+?)(?:Func(?:t|ti|tio|tion.*)?)?-[0-9a-f]{10}$/.exec(functionName);
  return generated?.[1] ?? functionName;
}

function shown(value: unknown): string {
  return typeof value === 'string' && !/[\s"=]/.test(value) ? value : JSON.stringify(value);
}

function timeOf(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':');
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
