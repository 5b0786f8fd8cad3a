import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LogTail } from '../../../local/lambda/log-tail.ts';
import { OutputLines } from '../../../local/lambda/output-lines.ts';
import { RotatingFile } from '../../../local/lambda/rotating-file.ts';
import { endOfOutput } from '../../../local/lambda/runner-protocol.ts';
import { traceHeaderFor } from '../../../local/lambda/trace-header.ts';

/** Writes chunks and gives what was read: lines, and ends as `END <request>`. */
async function read(chunks: readonly Buffer[]): Promise<string[]> {
  const seen: string[] = [];
  const stream = new PassThrough();
  new OutputLines(
    stream,
    'secret',
    (text) => seen.push(text),
    (requestId) => seen.push(`END ${requestId}`),
  );
  for (const chunk of chunks) stream.write(chunk);
  stream.end();
  await new Promise((resolve) => stream.once('close', resolve));
  return seen;
}

describe('the output of a process', () => {
  it('is the same lines however it is cut into pieces', async () => {
    const line = fc
      .string({ unit: 'grapheme' })
      .filter((text) => !text.includes('\n') && !text.includes('\u0000'));
    await fc.assert(
      fc.asyncProperty(
        fc.array(line),
        fc.infiniteStream(fc.integer({ min: 1, max: 7 })),
        async (lines, sizes) => {
          const bytes = Buffer.from(
            `${lines.map((text) => `${text}\n`).join('')}${endOfOutput('secret', 'r1')}`,
          );
          const chunks: Buffer[] = [];
          for (let at = 0; at < bytes.length; at += chunks.at(-1)?.length ?? 1) {
            chunks.push(bytes.subarray(at, at + (sizes.next().value ?? 1)));
          }
          expect(await read(chunks)).toEqual([...lines, 'END r1']);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('keeps a line without an end before the mark, and passes endless lines on in pieces', async () => {
    expect(await read([Buffer.from(`partial${endOfOutput('secret', 'r1')}rest`)])).toEqual([
      'partial',
      'END r1',
      'rest',
    ]);
    expect(await read([Buffer.from(endOfOutput('guessed', 'r1'))])).toEqual(['\u0000guessed r1']);
    const pieces = await read([Buffer.alloc(2.5 * 1024 * 1024, 'x')]);
    expect(pieces.map(({ length }) => length)).toEqual([1024 * 1024, 1024 * 1024, 512 * 1024]);
  });

  it('has a tail of 4 KB', () => {
    const tail = new LogTail();
    for (let line = 0; line < 1000; line += 1) tail.add(`line ${line} é`);
    expect(Buffer.byteLength(tail.text)).toBeLessThanOrEqual(4100);
    expect(tail.text.endsWith('line 999 é\n')).toBe(true);
  });
});

describe('a rotating file', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'mainstay-rotating-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('begins anew at its limit and keeps one file of what came before', () => {
    const path = join(directory, 'deep', 'a.log');
    const file = new RotatingFile(path, 100);
    for (let line = 0; line < 50; line += 1) file.append(`${String(line).padStart(9, '0')}\n`);
    file.close();
    expect(readdirSync(join(directory, 'deep')).sort()).toEqual(['a.log', 'a.log.1']);
    expect(statSync(path).size).toBe(100);
    expect(readFileSync(`${path}.1`, 'utf8').startsWith('000000030\n')).toBe(true);
    expect(readFileSync(path, 'utf8').endsWith('000000049\n')).toBe(true);
  });

  it('goes on where an earlier run ended', () => {
    const path = join(directory, 'a.log');
    writeFileSync(path, 'x'.repeat(95));
    const file = new RotatingFile(path, 100);
    file.append('y'.repeat(10));
    file.close();
    expect([statSync(path).size, statSync(`${path}.1`).size]).toEqual([10, 95]);
  });
});

describe('a trace header', () => {
  it('begins a trace where there is none, sampled as the function says', () => {
    for (const header of [undefined, '', 'Root=nonsense;Sampled=1', 'Self=1-1-1']) {
      expect(traceHeaderFor(header, true)).toMatch(
        /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=1$/,
      );
    }
  });

  it('keeps the decision of whoever began the trace', () => {
    const root = 'Root=1-5759e988-bd862e3fe1be46a994272793';
    expect(traceHeaderFor(`${root};Sampled=0`, true)).toMatch(/Sampled=0$/);
    expect(traceHeaderFor(root, true)).toMatch(new RegExp(`^${root};.*Sampled=1$`));
  });
});
