import type { BackupState } from '../../functions/recovery/model.ts';

/** Work as the API shows it, as far as it tells how it has ended. */
export interface EndedWork {
  readonly state: BackupState;
  readonly error: { readonly message: string } | null;
}

const words: Partial<Record<BackupState, string>> = {
  canceled: 'was canceled',
  deleting: 'is being deleted',
};

/**
 * Says how work ended that did not complete, such as `The backup … was canceled: nothing of it is kept`.
 *
 * @param name the subject of the sentence.
 * @param unexplained what stands for the cause where none is known.
 */
export function endedText(name: string, { state, error }: EndedWork, unexplained = 'no cause given'): string {
  return `${name} ${words[state] ?? state}: ${error?.message ?? unexplained}`;
}
