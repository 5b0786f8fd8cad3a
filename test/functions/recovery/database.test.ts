/*
 * All that works with a real database, in one file: a server takes longer to make than most of these tests, and they share one.
 * `-t` runs a part of it.
 */
import { jest } from '@jest/globals';
import './backup.suite.ts';
import './incremental.suite.ts';
import './snapshot.suite.ts';
import './faults.suite.ts';
import './verification.suite.ts';
import './restore/target.suite.ts';
import './restore/faithful.suite.ts';
import './restore/load.suite.ts';
import './drill/checks.suite.ts';
import './tenants.suite.ts';
import './adoption.suite.ts';

jest.setTimeout(60_000);
