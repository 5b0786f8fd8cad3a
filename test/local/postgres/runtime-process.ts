/**
 * A runtime of one cluster in a process of its own, to be killed by tests: prints its description
 * when it is ready, and stops on SIGTERM.
 */
import { PostgresClusters } from '../../../local/postgres/clusters.ts';
import { makeCluster } from './support.ts';

const [stateDirectory = '', nativeDirectory = '', relocateTo = ''] = process.argv.slice(2);
const clusters = new PostgresClusters({
  stateDirectory,
  checkToken: () => {
    throw new Error('nobody may');
  },
  ...(nativeDirectory === '' ? {} : { nativeDirectory }),
  ...(relocateTo === '' ? {} : { relocateTo }),
});
await clusters.start();
const description = await makeCluster(clusters, 'shard-a', 1);
process.once('SIGTERM', async () => {
  await clusters.stop();
  process.exit();
});
process.stdout.write(`${JSON.stringify({ ...description, authorityFile: clusters.authorityFile })}\n`);
// Keeps the process alive until it is stopped.
setInterval(() => {}, 60_000);
