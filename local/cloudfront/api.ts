import * as client from '@aws-sdk/client-cloudfront';
import type { RestApi } from '../aws/api.ts';
import type { Operation } from '../aws/operation.ts';
import { notEmulated } from '../aws/registry.ts';
import {
  matchOperation,
  readRestXmlInput,
  restXmlOperations,
  writeRestXmlResult,
} from '../aws/rest-xml-protocol.ts';

const namespace = 'http://cloudfront.amazonaws.com/doc/2020-05-31/';

/** CloudFront's API. Paths and shapes are those of its SDK client, so that what is not emulated has a name as well. */
export function cloudFrontApi(operations: Readonly<Record<string, Operation>>): RestApi {
  const known = restXmlOperations(client);
  return {
    protocol: 'rest',
    signingName: 'cloudfront',
    errors: 'wrapped xml',
    operations,
    operationOf: (request) => matchOperation(known, request)?.name ?? `${request.method} ${request.rawPath}`,
    async handle(request) {
      const found = matchOperation(known, request);
      const operation = found && operations[found.name];
      if (found === undefined || operation === undefined) {
        throw notEmulated('cloudfront', found?.name ?? `${request.method} ${request.rawPath}`);
      }
      const input = await readRestXmlInput(found, request);
      request.authorize(await operation.authorize(input, request.context));
      const output = await operation.run(input, request.context);
      return writeRestXmlResult(found, resultOf(output), namespace);
    },
  };
}

function resultOf(output: unknown): Record<string, unknown> {
  return typeof output === 'object' && output !== null ? Object.fromEntries(Object.entries(output)) : {};
}
