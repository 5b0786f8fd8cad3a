import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../lib/config/config.ts';
import { estimate } from '../../lib/costs/estimate.ts';
import { renderCosts, settings, workloads } from '../../lib/costs/page.ts';
import { root, synthesizeUnchecked } from './support.ts';

describe('The page about costs', () => {
  const page = readFileSync(join(root, 'docs/operations/costs.md'), 'utf8');

  it('is what the prices come to', () => {
    // When it differs: node lib/costs/write-page.ts
    expect(page).toBe(renderCosts());
  });

  it('adds up', () => {
    for (const section of page.split('\n## ').slice(1, 3)) {
      const amounts = [...section.matchAll(/\| (\d+\.\d\d) \|$/gm)].map(([, amount]) => Number(amount));
      const total = Number(/\*\*(\d+\.\d\d)\*\* \|$/m.exec(section)?.[1]);
      const sum = amounts.reduce((result, amount) => result + amount, 0);
      expect(amounts.length).toBeGreaterThan(15);
      // Each amount is rounded to a cent.
      expect(Math.abs(sum - total)).toBeLessThan(0.005 * amounts.length);
    }
  });
});

describe('The estimate', () => {
  it.each(['dev', 'production'] as const)('counts what the templates hold: %s', (name) => {
    const { stacks } = synthesizeUnchecked(name, settings[name]);
    const config = loadConfig(name, { environments: { [name]: settings[name] } });
    const resources = [...stacks.values()].flatMap((stack) => Object.values(stack.resources));
    const count = (...types: string[]) => resources.filter(({ Type }) => types.includes(Type)).length;
    const items = new Map(estimate(config, workloads[name]).map((item) => [item.what, item.quantity]));

    expect(items.get('KMS keys, with their replicas')).toBe(count('AWS::KMS::Key', 'AWS::KMS::ReplicaKey'));
    expect(items.get('Alarms')).toBeGreaterThanOrEqual(count('AWS::CloudWatch::Alarm'));
    expect(items.get('Dashboard')).toBe(count('AWS::CloudWatch::Dashboard'));
    // RDS makes the third, for the master user.
    expect(items.get('Secrets, one of them of each cluster')).toBe(
      count('AWS::SecretsManager::Secret', 'AWS::RDS::DBCluster'),
    );
    expect(items.get('Firewall') ?? 0).toBe(count('AWS::WAFv2::WebACL'));
    const { awakeHours, awakeAcu } = workloads[name];
    expect(items.get('Aurora instances')).toBe(count('AWS::RDS::DBInstance') * awakeHours * awakeAcu);
  });
});
