import { readSchedule } from '../../shared/schedules/schedule-expression.ts';
import { type Clock, isoTime } from '../clock.ts';
import type { BackupSchedules, ScheduleSettings } from './backup-schedules.ts';
import { AutomationChangedError, InvalidScheduleError } from './errors.ts';
import type { Automation, AutomationSettings, Rule, ScheduleView } from './model.ts';
import { type ScheduledType, scheduleNames } from './names.ts';
import type { RuleStore } from './rule-store.ts';

export interface AutomationDependencies {
  readonly rules: RuleStore;
  readonly schedules: BackupSchedules;
  readonly clock: Clock;
}

const types = ['full', 'incremental'] as const;
/** A rule that is changed again while its schedules are being made is followed so often. */
const maxRounds = 5;

/**
 * Makes the rule what was asked for, then the schedules what the rule says: a change that is cut short in between is
 * seen (`inForce` is false) and finished by asking again. The other way round, schedules would run that no rule
 * knows.
 *
 * @throws InvalidScheduleError: nothing was changed. AutomationChangedError, DependencyError
 */
export async function setAutomation(
  deps: AutomationDependencies,
  settings: AutomationSettings,
  changedBy: string | undefined,
): Promise<Automation> {
  const { rules, clock } = deps;
  checkExpressions(settings, clock.now());
  const { rule: before, version } = await rules.get();
  if (before === undefined || !equal(before, settings)) {
    const rule: Rule = { ...settings, changedAt: isoTime(clock.now()), ...(changedBy && { changedBy }) };
    if (!(await rules.set(rule, version))) throw new AutomationChangedError();
  }
  await follow(deps);
  const automation = await readAutomation(deps);
  if (automation === undefined) throw new AutomationChangedError();
  return automation;
}

/** Makes the schedules what the rule says, until it has not changed meanwhile. */
async function follow({ rules, schedules }: AutomationDependencies): Promise<void> {
  for (let round = 0; round < maxRounds; round++) {
    const { rule, version } = await rules.get();
    for (const type of types) {
      const wanted = wantedOf(rule, type);
      if (wanted === undefined) await schedules.remove(type);
      else await schedules.put(type, wanted);
    }
    if ((await rules.get()).version === version) return;
  }
  throw new AutomationChangedError();
}

/** @returns nothing when there is no automation. */
export async function readAutomation(deps: AutomationDependencies): Promise<Automation | undefined> {
  const { rule } = await deps.rules.get();
  if (rule === undefined) return undefined;
  const schedules: ScheduleView[] = [];
  let inForce = true;
  for (const type of types) {
    const found = await deps.schedules.get(type);
    const wanted = wantedOf(rule, type);
    inForce &&= JSON.stringify(shape(found)) === JSON.stringify(shape(wanted));
    if (found !== undefined) {
      schedules.push({
        name: scheduleNames[type],
        type,
        ...found,
        nextRunAt: nextRun(found, deps.clock.now()),
      });
    }
  }
  return { ...rule, changedBy: rule.changedBy ?? null, inForce, schedules };
}

/**
 * Removes the schedules, then the rule: cut short in between, the rule is still there to be removed. The other way
 * round, nothing would say that schedules were left.
 *
 * @returns whether there was a rule.
 * @throws AutomationChangedError, DependencyError
 */
export async function removeAutomation({ rules, schedules }: AutomationDependencies): Promise<boolean> {
  const { rule, version } = await rules.get();
  if (rule === undefined) return false;
  for (const type of types) await schedules.remove(type);
  if (!(await rules.remove(version))) throw new AutomationChangedError();
  return true;
}

/**
 * Makes the default rule where there never was one, and the schedules of the rule that is there where they are
 * missing; neither is changed.
 *
 * @returns the names of schedules that were made.
 */
export async function seedAutomation(
  { rules, schedules, clock }: AutomationDependencies,
  settings: AutomationSettings,
): Promise<string[]> {
  checkExpressions(settings, clock.now());
  await rules.seed({ ...settings, changedAt: isoTime(clock.now()) });
  const { rule } = await rules.get();
  const made: string[] = [];
  for (const type of types) {
    const wanted = wantedOf(rule, type);
    if (wanted !== undefined && (await schedules.create(type, wanted))) made.push(scheduleNames[type]);
  }
  return made;
}

function wantedOf(rule: Rule | undefined, type: ScheduledType): ScheduleSettings | undefined {
  const expression = rule?.[type] ?? undefined;
  if (rule === undefined || expression === undefined) return undefined;
  return { expression, timezone: rule.timezone, enabled: rule.enabled };
}

const shape = (settings: ScheduleSettings | undefined) =>
  settings && [settings.expression, settings.timezone, settings.enabled];

const equal = (rule: Rule, settings: AutomationSettings): boolean =>
  JSON.stringify(settingsOf(rule)) === JSON.stringify(settingsOf(settings));

const settingsOf = (settings: AutomationSettings) => {
  const { full, incremental, timezone, retentionDays, keep, lockDays, enabled } = settings;
  const { weekly, monthly, yearly } = keep;
  return [full, incremental, timezone, retentionDays, weekly, monthly, yearly, lockDays, enabled];
};

function nextRun({ expression, timezone, enabled }: ScheduleSettings, now: number): string | null {
  if (!enabled || !expression.startsWith('cron(')) return null;
  try {
    const next = readSchedule(expression, now, timezone).next(now);
    return next === undefined ? null : isoTime(next);
  } catch {
    // Changed elsewhere, to something that this reader of expressions does not know.
    return null;
  }
}

function checkExpressions(settings: AutomationSettings, now: number): void {
  const { timezone } = settings;
  try {
    readSchedule('rate(1 day)', now, timezone);
  } catch {
    throw new InvalidScheduleError('timezone', `${timezone} is not the name of a time zone.`);
  }
  for (const type of types) {
    const expression = settings[type];
    if (expression === null) continue;
    let next: number | undefined;
    try {
      next = readSchedule(expression, now, timezone).next(now);
    } catch (error) {
      throw new InvalidScheduleError(type, error instanceof Error ? error.message : String(error));
    }
    if (next === undefined) throw new InvalidScheduleError(type, `${expression} never comes.`);
  }
}
