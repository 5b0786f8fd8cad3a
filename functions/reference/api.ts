import { openGate } from '../access/open-gate.ts';
import { contracts } from '../contracts.ts';
import { httpFunction } from '../shared/http-function.ts';
import type { HttpHandlers, HttpRequest } from '../shared/http-handler.ts';
import { Problem } from '../shared/problem.ts';
import type { AssetServer } from './assets.ts';
import { referenceContract } from './contract.ts';
import { documents } from './documents.ts';
import { answerUnmatched, methodFinder } from './fallback.ts';

const methodsOf = methodFinder(contracts);

let server: AssetServer | undefined;
function serverFor(version: string): AssetServer {
  server ??= documents(contracts, version, new URL('.', import.meta.url));
  return server;
}

/** `GET /openapi.json`, the documentation at `/docs`, and every request that no route matches. */
export const handler = httpFunction({
  contract: referenceContract,
  functionContract: referenceContract.functions.api,
  gate: openGate,
  handlers: ({ MAINSTAY_VERSION }): HttpHandlers<typeof referenceContract> => {
    const serve = async (path: string, request: HttpRequest) => {
      const answer = await serverFor(MAINSTAY_VERSION).answer(path, request);
      if (answer === undefined) throw new Problem('not-found', 'The documentation has no such file.');
      const { headers, body } = answer;
      return body === undefined
        ? ({ status: 304, headers } as const)
        : ({ status: 200, headers, body } as const);
    };
    return {
      openapi: ({ request }) => serve('/openapi.json', request),
      docs: ({ request }) => serve('/docs', request),
      docsFile: ({ params, request }) => serve(`/docs/${params.file}`, request),
    };
  },
  fallback: async (request, { MAINSTAY_VERSION }) => {
    if (request.method === 'HEAD') {
      const answer = await serverFor(MAINSTAY_VERSION).answer(request.path, request);
      if (answer !== undefined) return { status: 200, headers: answer.headers };
    }
    return answerUnmatched(request, methodsOf);
  },
});
