/* The runtime, the API, and what an operator does with them, in one file for the reasons of `recovery.test.ts`. */
import { jest } from '@jest/globals';
import './pasted-lines.suite.ts';
import './backup-faults.suite.ts';
import './authorization.suite.ts';
import './access.suite.ts';
import './fuzz.suite.ts';
import './api.suite.ts';
import './shards.suite.ts';
import './tracing.suite.ts';
import './metrics.suite.ts';
import './cdn-purge.suite.ts';
import './cdn-analytics.suite.ts';
import './failover.suite.ts';
import './cdn-edge.suite.ts';

jest.setTimeout(180_000);
