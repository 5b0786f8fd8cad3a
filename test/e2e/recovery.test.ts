/*
 * All that waits for backups and restores, in one file: each file of tests loads what it imports anew, and each worker that gets
 * one boots a runtime of its own. `-t` runs a part of it.
 */
import { jest } from '@jest/globals';
import './point-in-time.suite.ts';
import './restore.suite.ts';
import './backup.suite.ts';
import './backup-refusals.suite.ts';
import './backup-consistency.suite.ts';
import './backup-integrity.suite.ts';
import './files.suite.ts';
import './tenant.suite.ts';
import './import.suite.ts';

jest.setTimeout(180_000);
