#!/usr/bin/env node
// Starts mainstay-cli.ts on a Node that runs TypeScript: this one, or else the one that npm installed with Mainstay.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('mainstay-cli.ts', import.meta.url));
const bundledNode = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));
const [major = 0] = process.versions.node.split('.').map(Number);

if (major >= 24) {
  await import('./mainstay-cli.ts');
} else if (existsSync(bundledNode)) {
  const child = spawn(bundledNode, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
  // From a terminal both get the signal; the child takes what follows at once for the same one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
} else {
  console.error(
    `Mainstay needs Node 24 and this is ${process.versions.node}. \`npm ci\` installs it with Mainstay.`,
  );
  process.exitCode = 1;
}
