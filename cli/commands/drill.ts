import { type Command, Option } from '@commander-js/extra-typings';
import type { Drill } from '../../functions/recovery/drill/model.ts';
import type { DrillReport } from '../../functions/recovery/drill/report.ts';
import type { Outcome } from '../exit-codes.ts';
import type { DrillRequest } from '../recovery-api.ts';
import { Session, type SessionOptions } from '../session.ts';
import { drillFindingsText, drillTable } from '../views/drill-tables.ts';
import { endedText } from '../views/ended.ts';
import { watchDrill } from '../work-bars.ts';
import { type CommandHost, collect, platformCommand } from './command.ts';

/** `mainstay drill`: rehearses a restore and shows what was measured. */
export function addDrillCommand(program: Command, host: CommandHost): void {
  platformCommand(program, 'drill')
    .summary('rehearse a restore')
    .description(
      'Restores a backup into scratch databases, compares every row with the backup, checks what is in them, ' +
        'measures how much would be lost (RPO) and how long it takes (RTO), and removes them again.',
    )
    .addOption(
      new Option('--backup <id>', 'this backup. Default: the newest complete one').conflicts('random'),
    )
    .option('--random', 'any complete backup')
    .option('--shard <name>', 'only this shard; may be repeated', collect)
    .option('--read-again', 'compare the hashes of all stored objects first, whatever is known of them')
    .addOption(new Option('--keys <keys>', 'what opens the backup').choices(['kms', 'escrow']))
    .addOption(
      new Option('--follow <id>', 'show a drill that was started before').conflicts([
        ...['backup', 'random', 'shard', 'readAgain', 'keys', 'cancel'],
      ]),
    )
    .addOption(
      new Option('--cancel <id>', 'cancel a running drill').conflicts([
        ...['backup', 'random', 'shard', 'readAgain', 'keys'],
      ]),
    )
    .action(async (options) => host.ended(await drill(await Session.open(host.io, options), options)));
}

interface Options extends SessionOptions {
  backup?: string | undefined;
  random?: boolean | undefined;
  shard?: string[] | undefined;
  readAgain?: boolean | undefined;
  keys?: 'kms' | 'escrow' | undefined;
  follow?: string | undefined;
  cancel?: string | undefined;
}

async function drill(session: Session, options: Options): Promise<Outcome> {
  const { api } = session;
  const { cancel, follow } = options;
  if (cancel !== undefined) {
    session.result(await api.cancelDrill(cancel), () => `  The drill ${cancel} is being canceled.`);
    return 'done';
  }
  const id = follow ?? (await api.startDrill(requestOf(options))).id;
  const work = {
    name: `The drill ${id}`,
    cancel: session.command(`drill --cancel ${id}`),
    follow: session.command(`drill --follow ${id}`),
  };
  const ended = await session.io.interruption.during(work, () =>
    watchDrill(api, id, { output: session.progress, title: 'drill' }),
  );
  const report = ended.report === null ? undefined : await api.drillReport(id);
  session.result(ended, () => textOf(ended, report));
  if (ended.state === 'completed') return 'done';
  session.complain(endedText(work.name, ended, 'nothing is proven'));
  return 'failed';
}

function requestOf({ backup, random, shard, readAgain, keys }: Options): DrillRequest {
  const restorePoint = random === true ? 'random' : backup;
  return {
    ...(restorePoint !== undefined && { restorePoint }),
    ...(shard !== undefined && { shards: shard }),
    ...(readAgain === true && { reuseVerification: false }),
    ...(keys !== undefined && { keys }),
  };
}

function textOf(ended: Drill, report: DrillReport | undefined): string {
  return [
    ...(report === undefined ? [] : [`\n${drillTable(report)}\n`]),
    ...(ended.findings.length === 0 ? [] : [drillFindingsText(ended)]),
    ...(report?.scratchDatabases === 'to be removed'
      ? ['  The scratch databases could not be removed yet; it is tried again every hour.']
      : []),
    `  drill ${ended.id}: ${ended.state === 'completed' ? `passed, backup ${ended.backupId}` : ended.state}`,
  ].join('\n');
}
