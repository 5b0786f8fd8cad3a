import type { Balance } from '../../../../functions/shards/balance/settings.ts';

/** The settings of a deployment that sets none. */
export const balance: Balance = {
  ...{ threshold: 0.2, minImprovement: 0.02, maxMoves: 250, sampleRows: 1_000_000, maxLagSeconds: 60 },
  ...{ moveBytesPerSecond: 20_000_000, movePricePerGb: 0.05 },
  weights: { rows: {}, bytes: 1, load: 1 },
  shards: {},
};
