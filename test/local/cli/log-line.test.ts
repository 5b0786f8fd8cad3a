import { describe, expect, it } from '@jest/globals';
import { formatLogLine } from '../../../local/cli/log-line.ts';

const style = { bold: (text: string) => `*${text}*`, dim: (text: string) => text };
const functionName = 'Mainstay-local-Platform-RecoveryChunkPipelineFunctio-636c42c8be';
const timestampMs = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
const timestamp = new Date(timestampMs).toISOString();

function shown(text: string | object, name = functionName): string | undefined {
  const line = {
    functionName: name,
    text: typeof text === 'string' ? text : JSON.stringify(text),
    timestampMs,
  };
  return formatLogLine(line, style);
}

describe('a log line for people', () => {
  it('says when, which function, what and with which details, and leaves out what every line has', () => {
    const line = {
      level: 'INFO',
      message: 'Chunk stored',
      timestamp,
      service: 'recovery',
      cold_start: true,
      function_arn: 'arn:aws:lambda:…',
      function_memory_size: '1769',
      traceId: '6b00',
      rows: 7,
      relation: 'a "b"',
      stages: { dump: 1 },
    };
    expect(shown(line)).toBe(
      '03:04:05.006  RecoveryChunkPipeline  Chunk stored traceId=6b00 rows=7 relation="a \\"b\\"" stages={"dump":1}',
    );
  });

  it('names levels that matter, and errors without their stack', () => {
    const error = { name: 'AccessDenied', message: 'not allowed', stack: 'at …', location: 'x.ts:1' };
    expect(shown({ level: 'ERROR', message: 'Failed', timestamp, error })).toBe(
      '03:04:05.006  RecoveryChunkPipeline  *ERROR* Failed *AccessDenied: not allowed*',
    );
  });

  it('shows requests from their metrics, and no other metrics', () => {
    const _aws = { Timestamp: timestampMs, CloudWatchMetrics: [] };
    expect(shown({ _aws, route: 'GET /api/health', status: '200', Latency: 1.5, Requests: 1 })).toBe(
      '03:04:05.006  RecoveryChunkPipeline  GET /api/health *200* in 1.5 ms',
    );
    expect(shown({ _aws, BackupCompleted: 1 })).toBeUndefined();
  });

  it.each(['plain text', '{"level":', '[1]', '"text"', '{"message":"no level"}'])(
    'leaves %s as it is',
    (text) => {
      expect(shown(text)).toBe(`03:04:05.006  RecoveryChunkPipeline  ${text}`);
    },
  );

  it.each([
    ['Mainstay-local-Platform-RecoveryApiFunctionF1283B92-a67c100af6', 'RecoveryApi '],
    ['Mainstay-local-Platform-BootstrapCustomResourceFunct-94962f3f75', 'BootstrapCustomResource '],
    ['my-function', 'my-function '],
  ])('shortens %s', (name, short) => expect(shown('x', name)).toContain(`  ${short}`));
});
