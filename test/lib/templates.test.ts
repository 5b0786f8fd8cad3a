/*
 * Everything that looks at synthesized templates, in one file: each file of tests loads what it imports anew, and the CDK takes
 * longer to load than to synthesize. `-t` runs a part of it.
 */
import './alarms.suite.ts';
import './costs.suite.ts';
import './deployments.suite.ts';
import './detection.suite.ts';
import './edge.suite.ts';
import './environments.suite.ts';
import './functions.suite.ts';
import './gradual-deployment.suite.ts';
import './logs.suite.ts';
import './missed-backups.suite.ts';
import './platform-stack.suite.ts';
import './shards.suite.ts';
import './standby.suite.ts';
import './stateful-stack.suite.ts';
import './termination-protection.suite.ts';
import './workflows.suite.ts';
