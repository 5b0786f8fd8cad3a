import type { ApiClient } from '../api-client.ts';
import { readBalance } from '../balance.ts';
import { balanceText } from '../views/balance-text.ts';
import type { DemoOutput } from './demo-output.ts';

/** Shows how even the shards are and which moves would make them so. Nothing is moved. */
export async function showBalance(client: ApiClient, out: DemoOutput, signal: AbortSignal): Promise<void> {
  const started = performance.now();
  const waiting = () => out.say('  the shards are being analyzed …');
  const balance = await readBalance(client, {}, { fresh: false, signal, waiting });
  const { length } = balance.plan.moves;
  const found = length === 0 ? 'nothing to move' : `${length} moves planned, none made`;
  out.done(`shards compared: ${found}`, performance.now() - started);
  out.say(`\n${balanceText(balance, out.output)}\n`);
}
