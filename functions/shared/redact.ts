const secrets: readonly (readonly [RegExp, string])[] = [
  [/msk_[a-z2-7]{8}_[A-Za-z0-9_-]{8,}/g, 'msk_…'],
  [/whsec_[A-Za-z0-9+/=]{8,}/g, 'whsec_…'],
  [/([?&](?:Signature|X-Amz-Signature|X-Amz-Security-Token|X-Amz-Credential)=)[^&\s"']+/gi, '$1…'],
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]+:)[^\s@]+@/gi, '$1…@'],
];

/** Replaces what must not reach a log: API keys, secrets of webhooks, signatures of presigned URLs and passwords in URLs. */
export function redact(text: string): string {
  return secrets.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}

/** Redacts an error's message and stack in place, and those of its causes. */
export function redactError(error: unknown): void {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth++) {
    replace(current, 'message');
    replace(current, 'stack');
    current = current.cause;
  }
}

function replace(error: Error, member: 'message' | 'stack'): void {
  const text = error[member];
  const clean = text === undefined ? undefined : redact(text);
  if (clean === text) return;
  Object.defineProperty(error, member, { value: clean, configurable: true, writable: true });
}
