import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { configFilePath } from '../../cli/connect/config-file.ts';
import { connectionFor, connectionHere } from '../../cli/connect/connection.ts';
import { TemporaryDirectories } from '../support/temporary-directory.ts';
import { mainstay } from './support/run.ts';

const directories = new TemporaryDirectories();
afterAll(() => directories.removeAll());

const config = {
  url: 'https://main.example.com',
  apiKey: 'key-main',
  profiles: { staging: { url: 'https://staging.example.com/', apiKey: 'key-staging' } },
};
const local = {
  baseUrl: 'http://127.0.0.1:4580',
  adminKey: 'key-local',
  awsEndpointUrl: 'http://127.0.0.1:4566',
  aws: { accessKeyId: 'a', secretAccessKey: 'b', region: 'us-east-1' },
  shards: [{ name: 'shard-a', writer: { url: 'postgres://localhost/app' } }],
};

interface Place {
  config?: unknown;
  mode?: number;
  local?: boolean;
  env?: NodeJS.ProcessEnv;
}

async function place({ config: content, mode = 0o600, local: running = false, env = {} }: Place) {
  const directory = await directories.make('mainstay-cli-');
  const all = { XDG_CONFIG_HOME: directory, MAINSTAY_STATE: directory, ...env };
  if (running) await writeFile(join(directory, 'local.json'), JSON.stringify(local));
  if (content === undefined) return all;
  const file = configFilePath(all);
  await mkdir(dirname(file));
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  await chmod(file, mode);
  return all;
}

async function found(where: Place, wish = {}) {
  const { baseUrl, apiKey } = await connectionFor(await place(where), wish);
  return [baseUrl, apiKey];
}

describe('which platform', () => {
  it('is the one of the configuration file, before the one that runs here', async () => {
    expect(await found({ config, local: true })).toEqual(['https://main.example.com', 'key-main']);
    expect(await found({ local: true })).toEqual(['http://127.0.0.1:4580', 'key-local']);
  });

  it('is a profile that is named, on the command line or in the environment', async () => {
    const staging = ['https://staging.example.com', 'key-staging'];
    expect(await found({ config }, { profile: 'staging' })).toEqual(staging);
    expect(await found({ config, env: { MAINSTAY_PROFILE: 'staging' } })).toEqual(staging);
    const env = { MAINSTAY_URL: 'https://other.example.com', MAINSTAY_API_KEY: 'key-other' };
    expect(await found({ config, env }, { profile: 'staging' })).toEqual(staging);
  });

  it('is the URL that is given, with the key beside it in the environment', async () => {
    const env = { MAINSTAY_URL: 'https://other.example.com/', MAINSTAY_API_KEY: 'key-other' };
    expect(await found({ config, local: true, env })).toEqual(['https://other.example.com', 'key-other']);
    const wish = { url: 'https://third.example.com/stage' };
    expect(await found({ config, env }, wish)).toEqual(['https://third.example.com/stage', 'key-other']);
  });

  it('is said to be missing, with what to do', async () => {
    await expect(found({})).rejects.toThrow(/`npm start` starts one.*MAINSTAY_URL.*config\.json/);
    await expect(found({ config }, { profile: 'prod' })).rejects.toThrow(
      'has no profile prod; it has: staging.',
    );
  });
});

describe('a key', () => {
  it('goes to the URL that it belongs to, and to no other', async () => {
    const staging = { url: 'https://staging.example.com' };
    expect(await found({ config }, staging)).toEqual(['https://staging.example.com', 'key-staging']);
    expect(await found({ local: true }, { url: 'http://127.0.0.1:4580' })).toContain('key-local');
    await expect(found({ config, local: true }, { url: 'https://new.example.com' })).rejects.toThrow(
      'There is no key for https://new.example.com. Set MAINSTAY_API_KEY',
    );
    // What is set for elsewhere is not for the local platform.
    expect(await found({ local: true, env: { MAINSTAY_API_KEY: 'key-other' } })).toContain('key-local');
  });

  it('is not taken from the command line, nor printed', async () => {
    const { code, stderr } = await mainstay(undefined, ['status', '--api-key=secret']);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.not.stringContaining('secret') });
    expect(stderr).toContain("error: unknown option '--api-key'\n");
  });

  it.each([
    'http://mainstay.example.com',
    'http://127.0.0.1.example.com',
    'https://user:secret@mainstay.example.com',
    'https://mainstay.example.com/?key=secret',
    'ftp://mainstay.example.com',
    'mainstay.example.com',
  ])('is not sent to %s', async (url) => {
    const sent = found({ env: { MAINSTAY_API_KEY: 'secret' } }, { url });
    await expect(sent).rejects.toThrow(/^--url /);
    await expect(sent).rejects.not.toThrow(/secret/);
  });

  it.each(['http://localhost:4580', 'http://[::1]:4580', 'http://127.1.2.3'])(
    'may be sent to %s',
    async (url) => {
      expect(await found({ env: { MAINSTAY_API_KEY: 'key' } }, { url })).toEqual([url, 'key']);
    },
  );
});

describe('the configuration file', () => {
  it.each([0o640, 0o604, 0o660])('is refused with mode %o', async (mode) => {
    await expect(found({ config, mode })).rejects.toThrow(/^Others may read .*chmod 600 /);
  });

  it.each([
    ['{ "apiKey": "hidden"', 'is not JSON'],
    [{ url: 'https://main.example.com' }, 'url and apiKey belong together'],
    [{ ...config, key: 'hidden' }, 'Unrecognized key'],
    [{ profiles: { staging: { url: 'https://x', apiKey: '' } } }, 'profiles.staging.apiKey'],
    [{ ...config, url: 'http://main.example.com' }, 'https://'],
  ])('is refused when it is wrong, without repeating a value', async (content, problem) => {
    await expect(found({ config: content })).rejects.toThrow(problem);
    await expect(found({ config: content })).rejects.not.toThrow(/hidden|key-main/);
  });

  it('does not decide where the demo runs', async () => {
    await expect(connectionHere(await place({ config }))).rejects.toThrow('Nothing is running here');
    const { baseUrl, local: behind } = await connectionHere(await place({ config, local: true }));
    expect({ baseUrl, writers: [...(behind?.writers ?? [])] }).toEqual({
      baseUrl: 'http://127.0.0.1:4580',
      writers: [['shard-a', 'postgres://localhost/app']],
    });
  });
});
