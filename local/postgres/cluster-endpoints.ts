import type { ServerCertificate } from './certificates.ts';
import type { Address } from './description.ts';
import { hasCode } from './error-code.ts';
import type { Instance } from './instance.ts';
import { listenOnFreePort } from './ports.ts';
import type { Backend, TokenCheck } from './proxy/backend.ts';
import { Endpoint } from './proxy/endpoint.ts';
import { roleFacts } from './roles.ts';

/** Where every endpoint but the reader's is. */
export const writerHost = '127.0.0.1';
/** The reader endpoint has the same port as the writer's, as on Aurora; Linux answers on all of 127.0.0.0/8. */
const readerHost = '127.0.0.2';

/** The names that the certificate of the endpoints is for. */
export const endpointNames = ['localhost', writerHost, readerHost, '::1'];

/** What the endpoints of one cluster have in common. */
export interface EndpointSettings {
  certificate: ServerCertificate;
  resourceId: string;
  checkToken: TokenCheck;
  forceSsl(): boolean;
  /** Where the search for free ports begins depends on it. */
  portSeed: string;
}

/** Gives the instance that an endpoint leads to now. @throws when there is none. */
type Choice = () => Instance;

/** The endpoints of one cluster. */
export class ClusterEndpoints {
  readonly #settings: EndpointSettings;
  readonly #endpoints = new Map<string, Endpoint>();

  constructor(settings: EndpointSettings) {
    this.#settings = settings;
  }

  /**
   * Opens the writer's and, where the machine has an address for it, the reader's endpoint.
   *
   * @param wanted the port to have if it is free; 0 for any.
   */
  async openCluster(wanted: number, writer: Choice, reader: Choice): Promise<Address> {
    const [first, second] = await listenOnFreePort(this.#settings.portSeed, wanted, async (port) => {
      const opened = await this.#listen(writerHost, port, writer);
      try {
        return [opened, await this.#listen(readerHost, port, reader)];
      } catch (error) {
        if (hasCode(error, 'EADDRNOTAVAIL')) return [opened];
        await opened.close();
        throw error;
      }
    });
    if (first !== undefined) this.#endpoints.set('writer', first);
    if (second !== undefined) this.#endpoints.set('reader', second);
    return { host: writerHost, port: first?.port ?? 0 };
  }

  /** Opens the endpoint of one instance. */
  async openInstance(identifier: string, wanted: number, instance: Choice): Promise<Address> {
    const endpoint = await listenOnFreePort(this.#settings.portSeed, wanted, (port) =>
      this.#listen(writerHost, port, instance),
    );
    this.#endpoints.set(keyOf(identifier), endpoint);
    return { host: endpoint.host, port: endpoint.port };
  }

  /** The endpoint with a name: `writer`, `reader`, or an instance's identifier. */
  get(name: string): Endpoint | undefined {
    return this.#endpoints.get(name) ?? this.#endpoints.get(keyOf(name));
  }

  async closeInstance(identifier: string): Promise<void> {
    await this.#endpoints.get(keyOf(identifier))?.close();
    this.#endpoints.delete(keyOf(identifier));
  }

  async closeAll(): Promise<void> {
    await Promise.all([...this.#endpoints.values()].map((endpoint) => endpoint.close()));
    this.#endpoints.clear();
  }

  #listen(host: string, port: number, choose: Choice): Promise<Endpoint> {
    return Endpoint.listen({ ...this.#settings, host, port, backend: () => backendOf(choose()) });
  }
}

/** Nothing keeps an instance from being called `writer`. */
function keyOf(instance: string): string {
  return `instance ${instance}`;
}

async function backendOf(instance: Instance): Promise<Backend> {
  return {
    socketPath: await instance.socketPath(),
    role: (name) => roleFacts(instance, name),
    log: (line) => instance.log(line),
  };
}
