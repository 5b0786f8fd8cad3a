import { describe, expect, it } from '@jest/globals';
import { synthesizeUnchecked } from './support.ts';

describe('A stack', () => {
  it('can be deleted when its first creation has failed, where no protection is configured', () => {
    const { protection } = synthesizeUnchecked('dev', {});
    expect(protection).toEqual({
      Stateful: false,
      Platform: false,
      Databases: false,
      Cdn: false,
      Telemetry: false,
    });
  });

  it('cannot be deleted in production', () => {
    const settings = { profile: 'production', region: 'eu-central-1', standby: { region: 'eu-west-1' } };
    const { protection } = synthesizeUnchecked('production', settings);
    expect(Object.keys(protection).length).toBeGreaterThan(2);
    expect(Object.entries(protection).filter(([, isProtected]) => !isProtected)).toEqual([]);
  });
});
