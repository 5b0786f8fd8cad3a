import { CliError } from '../cli-error.ts';
import { checkBaseUrl } from './base-url.ts';
import { configFilePath, type Profile, readConfigFile } from './config-file.ts';
import { type LocalPlatform, localFile, localPlatform } from './local-platform.ts';

/** Where the platform answers, and with which key. */
export interface Connection {
  baseUrl: string;
  apiKey: string;
  /** What is behind a local runtime; absent for a deployed platform. */
  local?: LocalPlatform;
}

/** What the command line says about the platform. */
export interface Wish {
  url?: string | undefined;
  profile?: string | undefined;
}

type Place = Omit<Connection, 'apiKey'> & { apiKey?: string };

/**
 * Finds the platform: by `--url` or `MAINSTAY_URL`; or a profile of the configuration file; or its standard
 * platform; or else the local runtime. A key goes only where it belongs: `MAINSTAY_API_KEY` to a URL that was
 * given, all others to the URL that they stand beside.
 *
 * @throws CliError saying what to set or start when there is no address or no key.
 */
export async function connectionFor(env: NodeJS.ProcessEnv, wish: Wish): Promise<Connection> {
  return withKey(env, await placeFor(env, wish));
}

/** The same without a key: where the open pages are. */
export async function addressFor(env: NodeJS.ProcessEnv, wish: Wish): Promise<string> {
  return (await placeFor(env, wish)).baseUrl;
}

/** `MAINSTAY_URL` or the local runtime, never what the configuration file has chosen: nothing is tried out there by accident. */
export async function connectionHere(env: NodeJS.ProcessEnv): Promise<Connection> {
  if (env.MAINSTAY_URL)
    return withKey(env, await placeAt(env, checkBaseUrl(env.MAINSTAY_URL, 'MAINSTAY_URL')));
  const local = await localPlatform(env);
  if (local !== undefined) return local;
  throw new CliError(
    'noAccess',
    `Nothing is running here (${localFile(env)} is not there). Start it with \`npm start\`.`,
  );
}

async function placeFor(env: NodeJS.ProcessEnv, { url, profile }: Wish): Promise<Place> {
  if (url !== undefined) return placeAt(env, checkBaseUrl(url, '--url'));
  if (profile !== undefined) return profileNamed(env, profile);
  if (env.MAINSTAY_URL) return placeAt(env, checkBaseUrl(env.MAINSTAY_URL, 'MAINSTAY_URL'));
  if (env.MAINSTAY_PROFILE) return profileNamed(env, env.MAINSTAY_PROFILE);
  const { standard, file } = await readConfigFile(env);
  if (standard !== undefined) return placeOf(standard, `url in ${file}`);
  const local = await localPlatform(env);
  if (local !== undefined) return local;
  throw new CliError(
    'noAccess',
    `Which platform? None runs here (${localFile(env)} is not there): \`npm start\` starts one. ` +
      `For another, set MAINSTAY_URL and MAINSTAY_API_KEY, or write url and apiKey into ${file}.`,
  );
}

async function placeAt(env: NodeJS.ProcessEnv, baseUrl: string): Promise<Place> {
  if (env.MAINSTAY_API_KEY) return { baseUrl, apiKey: env.MAINSTAY_API_KEY };
  const local = await localPlatform(env);
  if (local?.baseUrl === baseUrl) return local;
  const { standard, profiles, file } = await readConfigFile(env);
  const known = [...(standard === undefined ? [] : [standard]), ...profiles.values()];
  const match = known.find(({ url }) => checkBaseUrl(url, `url in ${file}`) === baseUrl);
  return match === undefined ? { baseUrl } : { baseUrl, apiKey: match.apiKey };
}

async function profileNamed(env: NodeJS.ProcessEnv, name: string): Promise<Place> {
  const { profiles, file } = await readConfigFile(env);
  const profile = profiles.get(name);
  if (profile === undefined) {
    const known = [...profiles.keys()].join(', ') || 'none';
    throw new CliError('usage', `${file} has no profile ${name}; it has: ${known}.`);
  }
  return placeOf(profile, `profiles.${name}.url in ${file}`);
}

function placeOf({ url, apiKey }: Profile, from: string): Place {
  return { baseUrl: checkBaseUrl(url, from), apiKey };
}

function withKey(env: NodeJS.ProcessEnv, { apiKey, ...place }: Place): Connection {
  if (apiKey !== undefined) return { ...place, apiKey };
  const file = configFilePath(env);
  throw new CliError(
    'noAccess',
    `There is no key for ${place.baseUrl}. Set MAINSTAY_API_KEY, or write it into ${file}.`,
  );
}
