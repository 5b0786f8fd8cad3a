import type { IncomingHttpHeaders } from 'node:http';
import type { AwsApi, RestApi } from './api.ts';
import { AwsError, type Operation } from './operation.ts';

/** The error for what the local runtime does not have. SDKs do not repeat a 501. */
export function notEmulated(service: string, operation: string): AwsError {
  return new AwsError('NotEmulated', `The local runtime does not emulate ${service}:${operation}.`, 501);
}

/** The services of an endpoint. */
export class Registry {
  readonly #apis: AwsApi[] = [];

  /** Throws when another API has the same signing name and protocol, or is anonymous as well. */
  add(api: AwsApi): void {
    const taken = this.#apis.some(
      (other) =>
        (other.signingName === api.signingName &&
          other.protocol === api.protocol &&
          targetOf(other) === targetOf(api)) ||
        (isAnonymous(other) && isAnonymous(api)),
    );
    if (taken) throw new Error(`The service ${api.signingName} (${api.protocol}) is registered already`);
    this.#apis.push(api);
  }

  /** The API that serves a signed request. Throws `NotEmulated`, naming service and operation. */
  find(service: string, headers: IncomingHttpHeaders, described: string): AwsApi {
    const candidates = this.#apis.filter((api) => api.signingName === service);
    const target = headers['x-amz-target'];
    const form = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
    const api =
      typeof target === 'string'
        ? candidates.find((candidate) => targetOf(candidate) === target.split('.', 1)[0])
        : (candidates.find((candidate) => candidate.protocol === 'query' && form) ??
          candidates.find((candidate) => candidate.protocol === 'rest'));
    if (!api) throw notEmulated(service, described);
    return api;
  }

  /** Whether a service answers for a region that is not the runtime's own. */
  answersIn(region: string, service: string): boolean {
    return this.#apis.some(
      (api) =>
        api.signingName === service && api.protocol === 'query' && new Set(api.otherRegions?.()).has(region),
    );
  }

  /** The API for requests without a signature, if there is one. */
  anonymous(): RestApi | undefined {
    return this.#apis.find(isAnonymous);
  }

  /** The operation of that name. Throws `NotEmulated`. */
  operation(service: string, name: string): { api: AwsApi; operation: Operation } {
    for (const api of this.#apis) {
      if (api.signingName !== service) continue;
      const operation = operationOf(api, name);
      if (operation) return { api, operation };
    }
    throw notEmulated(service, name);
  }
}

/** An API's own operation of that name, never something inherited. */
export function operationOf(api: AwsApi, name: string): Operation | undefined {
  const operations: Readonly<Record<string, Operation>> = api.operations ?? {};
  return Object.hasOwn(operations, name) ? operations[name] : undefined;
}

function targetOf(api: AwsApi): string | undefined {
  return api.protocol === 'json' ? api.targetPrefix : undefined;
}

function isAnonymous(api: AwsApi): api is RestApi {
  return api.protocol === 'rest' && api.anonymous === true;
}
