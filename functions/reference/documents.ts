import { readFile } from 'node:fs/promises';
import type { CapabilityContract } from '../shared/contract.ts';
import { type Asset, AssetServer } from './assets.ts';
import { describeApi } from './openapi.ts';
import { page, pagePolicy, pageScript, pageStyle } from './page.ts';

const json = 'application/json';
const html = 'text/html; charset=utf-8';
const script = 'text/javascript; charset=utf-8';
const style = 'text/css; charset=utf-8';

/**
 * Everything this capability serves, by path.
 *
 * @param directory where the files of Swagger UI lie.
 */
export function documents(
  contracts: readonly CapabilityContract[],
  version: string,
  directory: URL,
): AssetServer {
  const file = (name: string, contentType: string) => async (): Promise<Asset> => ({
    headers: { 'content-type': contentType },
    content: await readFile(new URL(name, directory)),
  });
  const text =
    (contentType: string, content: string, headers = {}) =>
    (): Asset => ({
      headers: { 'content-type': contentType, ...headers },
      content,
    });
  const asksEachTime = { 'cache-control': 'public, no-cache' };
  return new AssetServer({
    '/openapi.json': () => ({
      headers: { 'content-type': json, ...asksEachTime },
      content: JSON.stringify(describeApi(contracts, version)),
    }),
    '/docs': text(html, page, { ...asksEachTime, 'content-security-policy': pagePolicy }),
    '/docs/page.js': text(script, pageScript),
    '/docs/page.css': text(style, pageStyle),
    '/docs/swagger-ui-bundle.js': file('swagger-ui-bundle.js', script),
    '/docs/swagger-ui.css': file('swagger-ui.css', style),
    '/docs/favicon-32x32.png': file('favicon-32x32.png', 'image/png'),
  });
}
