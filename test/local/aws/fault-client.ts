import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import * as z from 'zod';
import type { Credentials } from '../../../local/aws/credentials.ts';
import { type Fault, faultSchema } from '../../../local/aws/faults.ts';

/** Injects faults into a local runtime in another process, with the operator's credentials. */
export class FaultClient {
  readonly #url: URL;
  readonly #signer: SignatureV4;

  /** `endpointUrl` is `awsEndpointUrl` of `.mainstay/local.json`. */
  constructor(endpointUrl: string, credentials: Credentials) {
    this.#url = new URL('/_mainstay/faults', endpointUrl);
    this.#signer = new SignatureV4({ service: 'mainstay', region: 'us-east-1', credentials, sha256: Sha256 });
  }

  async add(fault: Fault): Promise<void> {
    await this.#send('POST', JSON.stringify(fault));
  }

  async list(): Promise<Fault[]> {
    const text = await this.#send('GET');
    return z.object({ faults: z.array(faultSchema) }).parse(JSON.parse(text)).faults;
  }

  async clear(): Promise<void> {
    await this.#send('DELETE');
  }

  async #send(method: string, body?: string): Promise<string> {
    const signed = await this.#signer.sign({
      method,
      protocol: 'http:',
      hostname: this.#url.hostname,
      path: this.#url.pathname,
      query: {},
      headers: { host: this.#url.host },
      ...(body === undefined ? {} : { body }),
    });
    const { host: _, ...headers } = signed.headers;
    const response = await fetch(this.#url, { method, headers, ...(body === undefined ? {} : { body }) });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${this.#url.pathname}: ${response.status} ${text}`);
    return text;
  }
}
