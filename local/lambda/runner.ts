/**
 * The process of one execution environment. It loads the bundle and handles one invocation at a
 * time. The host bundles this file into a single script before its first start, so that no process
 * pays for stripping types; it must not import packages.
 */
import { enableCompileCache, flushCompileCache } from 'node:module';
import { captureConsole, textLine } from './runner-console.ts';
import { type ErrorPayload, errorPayload, rejectionPayload } from './runner-errors.ts';
import { type Handler, loadHandler } from './runner-handler.ts';
import { endOfOutput, type InvokeMessage, type RunnerMessage } from './runner-protocol.ts';
import { refuseUnbundled } from './runner-resolution.ts';

/** Bytes that an answer may have: 6 MB and Lambda's allowance of 100. */
const responseLimit = 6 * 1024 * 1024 + 100;

const [, , secret = '', compileCache = ''] = process.argv;
process.argv.length = 2;

// Taken before the bundle runs, so that nothing in it can speak for the runtime.
const sendToHost = process.send?.bind(process);
Reflect.deleteProperty(process, 'send');
const writeOut = process.stdout.write.bind(process.stdout);
const writeErr = process.stderr.write.bind(process.stderr);

let handler: Handler | undefined;
/** The invocation that has no answer yet. */
let pending: InvokeMessage | undefined;
/** What later output belongs to: the invocation that came last, answered or not. */
let requestId: string | undefined;

// Whoever owns this environment is gone. SIGKILL, because exit handlers of the bundle could wait.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('uncaughtException', (error) => fail('Uncaught Exception', errorPayload(error), 129));
process.on('unhandledRejection', (reason) =>
  fail('Unhandled Promise Rejection', rejectionPayload(reason), 128),
);
process.on('message', (message: InvokeMessage) => void handle(message));

captureConsole(
  (line) => writeOut(line),
  () => requestId,
);
void start();

async function start(): Promise<void> {
  const taskRoot = process.env.LAMBDA_TASK_ROOT ?? process.cwd();
  refuseUnbundled(taskRoot);
  enableCompileCache(compileCache);
  const loaded = await loadHandler(taskRoot, process.env._HANDLER ?? '');
  if ('error' in loaded) logError('Init Error', loaded.error);
  endOutput('init');
  if ('error' in loaded) {
    send({ type: 'init-error', payload: JSON.stringify(loaded.error) }, () => process.exit(1));
    return;
  }
  handler = loaded.handler;
  send({ type: 'ready' });
  // Now: an environment ends by being killed.
  flushCompileCache();
}

async function handle(message: InvokeMessage): Promise<void> {
  pending = message;
  requestId = message.requestId;
  process.env._X_AMZN_TRACE_ID = message.traceHeader;
  try {
    const result = await handler?.(JSON.parse(message.payload), contextOf(message));
    answer({ type: 'result', requestId: message.requestId, payload: serialise(result) });
  } catch (error) {
    if (pending !== message) return;
    const payload = errorPayload(error);
    logError('Invoke Error', payload);
    answer({
      type: 'error',
      requestId: message.requestId,
      payload: JSON.stringify(payload),
      fatal: false,
    });
  }
}

/** Sends the one answer of an invocation, after the last of its output. */
function answer(message: Extract<RunnerMessage, { requestId: string }>, sent?: () => void): void {
  if (pending?.requestId !== message.requestId) return;
  pending = undefined;
  endOutput(message.requestId);
  send(message, sent);
}

/** The runtime does not survive what nobody caught: it reports and exits. */
function fail(title: string, payload: ErrorPayload, code: number): void {
  logError(title, payload);
  const text = JSON.stringify(payload);
  const exit = (): void => process.exit(code);
  if (pending !== undefined) {
    answer({ type: 'error', requestId: pending.requestId, payload: text, fatal: true }, exit);
  } else if (handler === undefined) {
    endOutput('init');
    send({ type: 'init-error', payload: text }, exit);
  } else {
    exit();
  }
}

function serialise(result: unknown): string {
  let payload: string;
  try {
    payload = JSON.stringify(result === undefined ? null : result) ?? 'null';
  } catch {
    throw new Error('Unable to stringify response body');
  }
  const bytes = Buffer.byteLength(payload);
  if (bytes > responseLimit) {
    const error = new Error(
      `Response payload size exceeded maximum allowed payload size (${responseLimit} bytes).`,
    );
    error.name = 'Function.ResponseSizeTooLarge';
    throw error;
  }
  return payload;
}

function contextOf(message: InvokeMessage): object {
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: message.clientContext === undefined ? undefined : JSON.parse(message.clientContext),
    identity: undefined,
    invokedFunctionArn: message.functionArn,
    awsRequestId: message.requestId,
    getRemainingTimeInMillis: () => Math.max(0, message.deadlineMs - Date.now()),
  };
}

function logError(title: string, payload: ErrorPayload): void {
  const { errorType, errorMessage, trace, ...rest } = payload;
  const body = JSON.stringify({ errorType, errorMessage, ...rest, stack: trace });
  writeErr(textLine('ERROR', requestId, `${title} \t${body}`));
}

function endOutput(of: string): void {
  const line = endOfOutput(secret, of);
  writeOut(line);
  writeErr(line);
}

function send(message: RunnerMessage, sent?: () => void): void {
  sendToHost?.(message, undefined, undefined, () => sent?.());
}
