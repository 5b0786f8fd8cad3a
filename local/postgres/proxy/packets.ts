import type { Duplex } from 'node:stream';

/** Codes in the place of a protocol version, with which a client asks for something else first. */
export const requestCode = { cancel: 80877102, ssl: 80877103, gssEncryption: 80877104 } as const;

/** The longest startup packet PostgreSQL takes, in bytes. */
const longestStartup = 10_000;
/** The longest message of an authentication, in bytes; a token with a session token has about 1 500. */
const longestResponse = 65_536;

/** What a client sends first. */
export interface StartupPacket {
  /** The whole packet, to be passed on. */
  raw: Buffer;
  code: number;
}

/** Something a client sent that is not PostgreSQL's protocol. */
export class ProtocolError extends Error {}

/** Reads the packet that opens a connection. @throws ProtocolError */
export async function readStartup(stream: Duplex): Promise<StartupPacket> {
  const header = await readExactly(stream, 8);
  const length = header.readInt32BE(0);
  if (length < 8 || length > longestStartup) throw new ProtocolError(`A startup packet of ${length} bytes`);
  const raw = Buffer.concat([header, await readExactly(stream, length - 8)]);
  return { raw, code: header.readInt32BE(4) };
}

/** The parameters of a startup message: `user`, `database` and settings. @throws ProtocolError */
export function startupParameters({ raw, code }: StartupPacket): Map<string, string> {
  if (code >>> 16 !== 3) throw new ProtocolError(`Protocol version ${code >>> 16}.${code & 0xffff}`);
  const texts = raw.subarray(8).toString('utf8').split('\0');
  const parameters = new Map<string, string>();
  for (let index = 0; index + 1 < texts.length && texts[index] !== ''; index += 2) {
    parameters.set(texts[index] ?? '', texts[index + 1] ?? '');
  }
  return parameters;
}

/** Reads one message `p`, in which a client answers an authentication request. @throws ProtocolError */
export async function readResponse(stream: Duplex): Promise<Buffer> {
  const header = await readExactly(stream, 5);
  const length = header.readInt32BE(1);
  if (header[0] !== 0x70 || length < 4 || length > longestResponse) {
    throw new ProtocolError(`Not an answer to an authentication request: type ${header[0]}, ${length} bytes`);
  }
  return readExactly(stream, length - 4);
}

/** Reads so many bytes; what follows stays in the stream. @throws ProtocolError when it ends before. */
export async function readExactly(stream: Duplex, length: number): Promise<Buffer> {
  if (length === 0) return Buffer.alloc(0);
  for (;;) {
    const chunk: unknown = stream.read(length);
    if (Buffer.isBuffer(chunk) && chunk.length === length) return chunk;
    if (chunk !== null || stream.readableEnded || stream.destroyed)
      throw new ProtocolError('The client left');
    await moreOf(stream);
  }
}

function moreOf(stream: Duplex): Promise<void> {
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'close', 'error'];
    const done = () => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}

/** The server's message that asks for authentication, with the given code and content. */
export function authenticationRequest(code: number, content: Uint8Array = Buffer.alloc(0)): Buffer {
  const message = Buffer.alloc(9);
  message.write('R');
  message.writeInt32BE(8 + content.length, 1);
  message.writeInt32BE(code, 5);
  return Buffer.concat([message, content]);
}

/** A fatal error as PostgreSQL reports it. */
export function fatalError(code: string, text: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${text}\0\0`);
  const header = Buffer.alloc(5);
  header.write('E');
  header.writeInt32BE(4 + fields.length, 1);
  return Buffer.concat([header, fields]);
}
