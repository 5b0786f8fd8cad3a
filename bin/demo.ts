import { connectionFrom } from '../cli/connection.ts';
import { runDemo } from '../cli/demo/demo.ts';

try {
  await runDemo(await connectionFrom(process.env), process.stdout);
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
