import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { SourceData } from '@smithy/types';

export interface ControlConnection {
  /** The runtime's `awsEndpointUrl`. */
  endpoint: string;
  accessKeyId: string;
  secretAccessKey: string;
  region: string;
}

/** Calls a control of a running local runtime; see {@link controlApi}. */
export async function callControl(
  connection: ControlConnection,
  name: string,
  input: unknown,
): Promise<unknown> {
  return call(connection, 'mainstay-control', 'POST', `/_mainstay/control/${name}`, input);
}

/** Lets the next matching calls to the emulated AWS fail; see `local/aws/faults.ts`. */
export async function injectFault(connection: ControlConnection, fault: unknown): Promise<void> {
  await call(connection, 'mainstay', 'POST', '/_mainstay/faults', fault);
}

/** The faults that still strike, as they were given, `times` being the calls left. */
export function listFaults(connection: ControlConnection): Promise<unknown> {
  return call(connection, 'mainstay', 'GET', '/_mainstay/faults', undefined);
}

/** Removes all injected faults. */
export async function clearFaults(connection: ControlConnection): Promise<void> {
  await call(connection, 'mainstay', 'DELETE', '/_mainstay/faults', undefined);
}

async function call(
  connection: ControlConnection,
  service: string,
  method: string,
  path: string,
  input: unknown,
): Promise<unknown> {
  const url = new URL(path, connection.endpoint);
  const body = input === undefined ? '' : JSON.stringify(input);
  const signer = new SignatureV4({
    service,
    region: connection.region,
    credentials: { accessKeyId: connection.accessKeyId, secretAccessKey: connection.secretAccessKey },
    sha256: NodeSha256,
  });
  const { headers } = await signer.sign({
    method,
    protocol: url.protocol,
    hostname: url.hostname,
    port: Number(url.port),
    path: url.pathname,
    headers: { host: url.host, 'content-type': 'application/json' },
    body,
  });
  const response = await fetch(url, { method, headers, ...(body !== '' && { body }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

/** Node's SHA-256 in the shape that the signer wants. */
class NodeSha256 {
  readonly #hash;

  constructor(secret?: SourceData) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }

  update(data: SourceData): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error('A hash is used once.');
  }
}

function bytesOf(data: SourceData): Buffer {
  if (typeof data === 'string') return Buffer.from(data);
  return data instanceof ArrayBuffer
    ? Buffer.from(data)
    : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
