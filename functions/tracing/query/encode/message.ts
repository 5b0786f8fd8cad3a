import type { Resource, ResourceSpans, Scope, TraceSpan } from '../../model.ts';
import { regroup } from '../../store/items.ts';

/** Spans under their resources and scopes: equal ones are one, whichever request they came with. */
export function messageOf(spans: readonly TraceSpan[]): ResourceSpans[] {
  const resources = new Map<string, Resource>();
  const scopes = new Map<string, Scope>();
  const known = <T>(all: Map<string, T>, value: T, beside: string | undefined): T => {
    const key = JSON.stringify([value, beside]);
    const first = all.get(key) ?? value;
    all.set(key, first);
    return first;
  };
  return regroup(
    spans.map((item) => ({
      ...item,
      resource: known(resources, item.resource, item.resourceSchemaUrl),
      ...(item.scope === undefined ? {} : { scope: known(scopes, item.scope, item.scopeSchemaUrl) }),
    })),
  );
}
