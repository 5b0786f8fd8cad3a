import type { Component } from './model.ts';
import type { BackupInput } from './workflow.ts';

const all: readonly Component[] = ['database', 'files', 'configuration'];

/** What a backup is of: all there is, unless it is asked for otherwise or of some shards only, of one tenant, or before a restore. */
export function componentsOf({ components, shards, tenant, trigger }: Partial<BackupInput>): Component[] {
  if (components !== undefined) return all.filter((component) => components.includes(component));
  return shards !== undefined || tenant !== undefined || trigger === 'restore' ? ['database'] : [...all];
}
