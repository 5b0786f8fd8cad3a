/** Requests of Lambda's API by name; `{}` is a function's name or ARN. */
const routes: readonly (readonly [name: string, method: string, path: string])[] = [
  ['Invoke', 'POST', '/2015-03-31/functions/{}/invocations'],
  ['InvokeAsync', 'POST', '/2014-11-13/functions/{}/invoke-async'],
  ['InvokeWithResponseStream', 'POST', '/2021-11-15/functions/{}/response-streaming-invocations'],
  ['ListFunctions', 'GET', '/2015-03-31/functions'],
  ['CreateFunction', 'POST', '/2015-03-31/functions'],
  ['GetFunction', 'GET', '/2015-03-31/functions/{}'],
  ['DeleteFunction', 'DELETE', '/2015-03-31/functions/{}'],
  ['GetFunctionConfiguration', 'GET', '/2015-03-31/functions/{}/configuration'],
  ['UpdateFunctionConfiguration', 'PUT', '/2015-03-31/functions/{}/configuration'],
  ['UpdateFunctionCode', 'PUT', '/2015-03-31/functions/{}/code'],
  ['GetPolicy', 'GET', '/2015-03-31/functions/{}/policy'],
  ['AddPermission', 'POST', '/2015-03-31/functions/{}/policy'],
  ['ListAliases', 'GET', '/2015-03-31/functions/{}/aliases'],
  ['CreateAlias', 'POST', '/2015-03-31/functions/{}/aliases'],
  ['ListVersionsByFunction', 'GET', '/2015-03-31/functions/{}/versions'],
  ['PublishVersion', 'POST', '/2015-03-31/functions/{}/versions'],
  ['ListEventSourceMappings', 'GET', '/2015-03-31/event-source-mappings'],
  ['GetAccountSettings', 'GET', '/2016-08-19/account-settings'],
  ['PutFunctionConcurrency', 'PUT', '/2017-10-31/functions/{}/concurrency'],
  ['GetFunctionEventInvokeConfig', 'GET', '/2019-09-25/functions/{}/event-invoke-config'],
];

const patterns = routes.map(([name, method, path]) => ({
  name,
  method,
  pattern: new RegExp(`^${path.replace('{}', '([^/]+)')}/?$`),
}));

/** The operation a request names, and the function in its path where it has one. */
export function findRoute(
  method: string,
  rawPath: string,
): { operation: string; functionName: string | undefined } {
  for (const route of patterns) {
    const match = route.method === method ? route.pattern.exec(rawPath) : null;
    if (match === null) continue;
    return { operation: route.name, functionName: match[1] === undefined ? undefined : decode(match[1]) };
  }
  return { operation: `${method} ${rawPath}`, functionName: undefined };
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
