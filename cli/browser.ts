import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** How long an opener that fails may take to say so, in milliseconds. */
const refusalMs = 1000;

/** Shows a URL in the browser, where there is one. Resolves to whether it was taken. */
export async function openBrowser(env: NodeJS.ProcessEnv, url: string): Promise<boolean> {
  const opener = openerFor(env);
  if (opener === undefined) return false;
  const child = spawn(opener, [url], { env, stdio: 'ignore', detached: true });
  child.unref();
  const patience = AbortSignal.timeout(refusalMs);
  try {
    const [code] = await once(child, 'exit', { signal: patience });
    return code === 0;
  } catch {
    // It runs for as long as the browser does, unless it did not start at all.
    return patience.aborted;
  }
}

function openerFor(env: NodeJS.ProcessEnv): string | undefined {
  if (process.platform === 'darwin') return 'open';
  if (process.platform === 'win32') return 'explorer.exe';
  return env.DISPLAY || env.WAYLAND_DISPLAY ? 'xdg-open' : undefined;
}
