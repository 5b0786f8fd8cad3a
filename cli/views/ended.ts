import type { BackupState } from '../../functions/recovery/model.ts';

const words: Partial<Record<BackupState, string>> = {
  canceled: 'was canceled',
  deleting: 'is being deleted',
};

/** How work ended that did not complete, as the rest of a sentence. */
export function endedAs(state: BackupState): string {
  return words[state] ?? state;
}
