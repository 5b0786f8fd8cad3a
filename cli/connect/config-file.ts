import { type FileHandle, open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { CliError } from '../cli-error.ts';

const profileSchema = z.strictObject({ url: z.string(), apiKey: z.string().min(1) });
const configSchema = z.strictObject({
  url: z.string().optional(),
  apiKey: z.string().min(1).optional(),
  profiles: z.record(z.string(), profileSchema).default({}),
});

const systemErrorSchema = z.object({ code: z.string() });

/** A platform of the configuration file, with its key. */
export type Profile = z.output<typeof profileSchema>;

export interface ConfigFile {
  file: string;
  /** `url` and `apiKey` at the top. */
  standard?: Profile;
  profiles: ReadonlyMap<string, Profile>;
}

/** `mainstay/config.json` below `XDG_CONFIG_HOME`, or else below `~/.config`. */
export function configFilePath(env: NodeJS.ProcessEnv): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'mainstay', 'config.json');
}

/**
 * Reads the configuration file; without one there are no profiles.
 *
 * @throws CliError when others may read it, or it is not what it should be. No message repeats a value of it.
 */
export async function readConfigFile(env: NodeJS.ProcessEnv): Promise<ConfigFile> {
  const file = configFilePath(env);
  const handle = await openIfThere(file);
  if (handle === undefined) return { file, profiles: new Map() };
  try {
    const { mode } = await handle.stat();
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new CliError(
        'usage',
        `Others may read ${file}, which holds an API key. Run: chmod 600 '${file}'`,
      );
    }
    return parseConfig(file, await handle.readFile('utf8'));
  } finally {
    await handle.close();
  }
}

async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file);
  } catch (error) {
    const { code } = systemErrorSchema.parse(error);
    if (code === 'ENOENT') return undefined;
    throw new CliError('usage', `${file} cannot be read (${code}).`);
  }
}

function parseConfig(file: string, text: string): ConfigFile {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new CliError('usage', `${file} is not JSON.`);
  }
  const parsed = configSchema.safeParse(content);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CliError('usage', `${file}: ${issue?.path.join('.') || 'the file'}: ${issue?.message}`);
  }
  const { url, apiKey, profiles } = parsed.data;
  if ((url === undefined) !== (apiKey === undefined)) {
    throw new CliError('usage', `${file}: url and apiKey belong together; one of them is missing.`);
  }
  return {
    file,
    ...(url !== undefined && apiKey !== undefined && { standard: { url, apiKey } }),
    profiles: new Map(Object.entries(profiles)),
  };
}
