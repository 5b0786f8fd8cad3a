import { realpathSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Packages that Lambda's Node.js runtime brings along. */
const provided = /^@(aws-sdk|smithy|aws-crypto)\//;

/**
 * Keeps a bundle to its own files. The task root lies inside this project, where Node would go on
 * to the project's own packages; a bundle that lacks a package has to fail here as it would on AWS.
 */
export function refuseUnbundled(taskRoot: string): void {
  const root = pathToFileURL(`${realpathSync(taskRoot)}${sep}`).href;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const resolved = nextResolve(specifier, context);
      const fromBundle = context.parentURL?.startsWith(root) === true;
      const outside = resolved.url.startsWith('file:') && !resolved.url.startsWith(root);
      if (!fromBundle || !outside || provided.test(specifier)) return resolved;
      throw Object.assign(
        new Error(`Cannot find package '${specifier}' imported from ${context.parentURL}`),
        { code: 'ERR_MODULE_NOT_FOUND' },
      );
    },
  });
}
