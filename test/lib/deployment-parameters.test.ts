import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../lib/config/config.ts';
import { packSettings } from '../../lib/stateful/deployment-parameters.ts';

describe('the settings of a deployment as parameters', () => {
  it('are all there, each in one parameter that costs nothing', () => {
    const { shards, ...sections } = loadConfig('dev', undefined);
    const texts = packSettings({ ...sections, shards });
    const all: Record<string, unknown> = Object.assign({}, ...texts.map((text) => JSON.parse(text)));
    const expected = {
      ...sections,
      ...Object.fromEntries(shards.map((shard) => [`shards/${shard.name}`, shard])),
    };
    expect(all).toEqual(JSON.parse(JSON.stringify(expected)));
    for (const text of texts) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(4_096);
  });

  it('refuse what no parameter holds', () => {
    const config = loadConfig('dev', undefined);
    const alarms = { ...config.alarms, runbookBaseUrl: 'x'.repeat(9_000) };
    expect(() => packSettings({ ...config, alarms })).toThrow(/alarms: the setting has 9\d{3} bytes/);
  });
});
