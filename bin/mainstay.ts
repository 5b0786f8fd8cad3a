import { createApp } from '../lib/app.ts';
import { ConfigError } from '../lib/config/config.ts';
import { BundleError } from '../lib/constructs/bundle.ts';

try {
  createApp().synth();
} catch (error) {
  // What the operator can mend is said without a stack trace.
  if (!(error instanceof ConfigError || error instanceof BundleError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
