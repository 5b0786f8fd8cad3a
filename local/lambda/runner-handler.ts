import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ErrorPayload, errorPayload, initError } from './runner-errors.ts';

export type Handler = (event: unknown, context: object) => unknown;

export type LoadedHandler = { handler: Handler } | { error: ErrorPayload };

/** Loads the function that a handler name such as `index.handler` stands for. */
export async function loadHandler(taskRoot: string, name: string): Promise<LoadedHandler> {
  const dot = name.lastIndexOf('.');
  const moduleName = name.slice(0, dot);
  const exportName = name.slice(dot + 1);
  const file = ['.js', '.mjs', '.cjs']
    .map((extension) => join(taskRoot, `${moduleName}${extension}`))
    .find((candidate) => existsSync(candidate));
  if (file === undefined) {
    return { error: initError('Runtime.ImportModuleError', `Error: Cannot find module '${moduleName}'`) };
  }
  try {
    const loaded: unknown = await import(pathToFileURL(file).href);
    const handler = member(loaded, exportName) ?? member(member(loaded, 'default'), exportName);
    if (isHandler(handler)) return { handler };
    return handler === undefined
      ? { error: initError('Runtime.HandlerNotFound', `${name} is undefined or not exported`) }
      : { error: initError('Runtime.HandlerNotFound', `${name} is not a function`) };
  } catch (error) {
    return { error: loadError(error) };
  }
}

function loadError(error: unknown): ErrorPayload {
  const code = member(error, 'code');
  if (error instanceof SyntaxError) {
    return initError('Runtime.UserCodeSyntaxError', String(error), error);
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    return initError('Runtime.ImportModuleError', String(error), error);
  }
  return errorPayload(error);
}

function member(value: unknown, name: string): unknown {
  return (typeof value === 'object' && value !== null) || typeof value === 'function'
    ? Reflect.get(value, name)
    : undefined;
}

function isHandler(value: unknown): value is Handler {
  return typeof value === 'function';
}
