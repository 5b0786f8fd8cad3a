import type { ResponseHeadersConfig } from './definition.ts';
import type { AnswerHeaders } from './freshness.ts';

/** Applies a response headers policy: it removes, and then adds what the origin has not said or must not say. */
export function withPolicyHeaders(headers: AnswerHeaders, policy: ResponseHeadersConfig): AnswerHeaders {
  const removed = new Set(policy.RemoveHeadersConfig?.Items.map(({ Header }) => Header.toLowerCase()));
  const result: Record<string, string | string[]> = Object.fromEntries(
    Object.entries(headers).filter(([name]) => !removed.has(name)),
  );
  const set = (name: string, value: string, override: boolean) => {
    if (override || !(name in result)) result[name] = value;
  };
  const security = policy.SecurityHeadersConfig ?? {};
  const {
    ContentSecurityPolicy: content,
    FrameOptions: frame,
    ReferrerPolicy: referrer,
    StrictTransportSecurity: transport,
  } = security;
  if (content) set('content-security-policy', content.ContentSecurityPolicy, content.Override);
  if (security.ContentTypeOptions) {
    set('x-content-type-options', 'nosniff', security.ContentTypeOptions.Override);
  }
  if (frame) set('x-frame-options', frame.FrameOption, frame.Override);
  if (referrer) set('referrer-policy', referrer.ReferrerPolicy, referrer.Override);
  if (transport) {
    const value = [
      `max-age=${transport.AccessControlMaxAgeSec}`,
      ...(transport.IncludeSubdomains ? ['includeSubDomains'] : []),
      ...(transport.Preload ? ['preload'] : []),
    ];
    set('strict-transport-security', value.join('; '), transport.Override);
  }
  for (const item of policy.CustomHeadersConfig?.Items ?? []) {
    set(item.Header.toLowerCase(), item.Value, item.Override);
  }
  return result;
}
