import { createRequire, enableCompileCache, registerHooks } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ModuleMocker } from 'jest-mock';

const require = createRequire(import.meta.url);
const { default: runCircus } = require('jest-circus/runner');

/** Where jest-circus looks for what `jest.setTimeout` set, and keeps what listens to a run. */
const timeoutKey = Symbol.for('TEST_TIMEOUT_SYMBOL');
const listenersKey = Symbol.for('EVENT_HANDLERS');
const liveKey = Symbol.for('mainstay.test.globals');

const globalsUrl = 'mainstay:jest-globals';
const names = [
  'describe',
  'it',
  'test',
  'expect',
  'jest',
  'beforeAll',
  'beforeEach',
  'afterAll',
  'afterEach',
];
const globalsSource = names
  .map((name) => `export const ${name} = globalThis[Symbol.for('mainstay.test.globals')]('${name}');`)
  .join('\n');
const ownModules = new RegExp(
  `^${RegExp.escape(pathToFileURL(join(import.meta.dirname, '..')).href)}/(?!node_modules/)[^?]*[.]ts$`,
);
const mark = /[?]file=\d+$/;

/** How many modules Jest has asked for: what each of them imports of ours is loaded for it alone. */
let loaded = 0;
/** The globals of the file of tests that runs. */
let current = {};

globalThis[liveKey] = (name) =>
  new Proxy(() => {}, {
    apply: (_target, _this, args) => current[name](...args),
    get: (_target, key) => current[name][key],
  });
enableCompileCache();
registerHooks({
  resolve: (specifier, context, next) => {
    if (specifier === '@jest/globals') return { url: globalsUrl, format: 'module', shortCircuit: true };
    const found = next(specifier, context);
    if (!ownModules.test(found.url)) return found;
    return { ...found, url: `${found.url}${mark.exec(context.parentURL ?? '')?.[0] ?? `?file=${loaded}`}` };
  },
  load: (url, context, next) =>
    url === globalsUrl ? { format: 'module', source: globalsSource, shortCircuit: true } : next(url, context),
});

/**
 * Runs one file of tests: jest-circus as it is, the modules by Node itself. Jest's own module system compiles whatever a file imports
 * anew, in a realm of its own; here only modules of this project are loaded anew, so that no file sees state of another, and packages
 * are loaded once for each worker. Mocks of modules do not exist; `jest` has `fn`, `spyOn` and `setTimeout`.
 */
export default async function run(globalConfig, config, environment, runtime, testPath, send) {
  const mocks = new ModuleMocker(globalThis);
  const jest = {
    fn: mocks.fn.bind(mocks),
    spyOn: mocks.spyOn.bind(mocks),
    setTimeout: (ms) => {
      globalThis[timeoutKey] = ms;
    },
  };
  const native = {
    requireInternalModule: (path) => {
      delete require.cache[path];
      return require(path);
    },
    requireModule: (path) => require(path),
    unstable_shouldLoadAsEsm: () => true,
    unstable_importModule: (path) => {
      loaded += 1;
      return import(pathToFileURL(path).href);
    },
    setGlobalsForRuntime: (globals) => {
      current = { ...globals, jest };
    },
    enterTestCode: () => runtime.enterTestCode(),
    leaveTestCode: () => runtime.leaveTestCode(),
  };
  const restore = keepProcess();
  globalThis.console = environment.global.console;
  delete globalThis[listenersKey];
  delete globalThis[timeoutKey];
  try {
    return await runCircus(globalConfig, config, { global: globalThis }, native, testPath, send);
  } finally {
    mocks.restoreAllMocks();
    restore();
  }
}

/** What a file of tests may change in the process that the next one runs in. */
function keepProcess() {
  const { console } = globalThis;
  const variables = { ...process.env };
  const directory = process.cwd();
  const streams = [process.stdout, process.stderr].map((stream) => ({ stream, write: stream.write }));
  return () => {
    globalThis.console = console;
    for (const { stream, write } of streams) stream.write = write;
    process.chdir(directory);
    for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name];
    Object.assign(process.env, variables);
  };
}
