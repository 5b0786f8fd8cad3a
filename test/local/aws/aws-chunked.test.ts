import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AwsChunkedDecoder } from '../../../local/aws/aws-chunked.ts';

function frame(chunks: readonly Uint8Array[], trailers: Record<string, string>): Buffer {
  const framed = chunks.flatMap((chunk) => [
    Buffer.from(`${chunk.length.toString(16)}\r\n`),
    Buffer.from(chunk),
    Buffer.from('\r\n'),
  ]);
  const end = Object.entries(trailers).map(([name, value]) => `${name}:${value}\r\n`);
  return Buffer.concat([...framed, Buffer.from(`0\r\n${end.join('')}\r\n`)]);
}

function decode(pieces: readonly Buffer[]): { data: Buffer; trailers: Record<string, string> } {
  const decoder = new AwsChunkedDecoder();
  const data = Buffer.concat(pieces.flatMap((piece) => decoder.write(piece)));
  decoder.end();
  return { data, trailers: decoder.trailers };
}

describe('an aws-chunked body', () => {
  it('is decoded however the network cuts it', () => {
    const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 6 });
    const cuts = fc.array(fc.nat({ max: 300 }), { maxLength: 20 });
    fc.assert(
      fc.property(chunks, cuts, (parts, positions) => {
        const wire = frame(parts, { 'x-amz-checksum-crc32': 'AAAAAA==' });
        const sorted = [0, ...positions.sort((a, b) => a - b), wire.length];
        const pieces = sorted.slice(1).map((end, index) => wire.subarray(sorted[index] ?? 0, end));
        const { data, trailers } = decode(pieces);
        expect(data).toEqual(Buffer.concat(parts));
        expect(trailers).toEqual({ 'x-amz-checksum-crc32': 'AAAAAA==' });
      }),
    );
  });

  it('may carry chunk extensions and no trailers', () => {
    expect(decode([Buffer.from('3;chunk-signature=ab\r\nabc\r\n0\r\n\r\n')]).data.toString()).toBe('abc');
  });

  it.each([
    ['is cut off in a chunk', '5\r\nab'],
    ['is cut off between chunks', '2\r\nab\r\n'],
    ['has no size', 'xyz\r\n'],
    ['has a longer chunk than it says', '2\r\nabc\r\n0\r\n\r\n'],
    ['goes on after its end', '0\r\n\r\nmore\r\n'],
    ['has an endless line', 'f'.repeat(20_000)],
    ['has a trailer without a name', '0\r\n:x\r\n\r\n'],
  ])('that %s is refused', (_, wire) => {
    expect(() => decode([Buffer.from(wire)])).toThrow(expect.objectContaining({ code: 'IncompleteBody' }));
  });
});
