import { type KeyValue, spanKinds } from '../../model.ts';
import { endMsOf, type SpanNode, type SpanTree } from './span-node.ts';

/** What tells one clock from another, the most exact first. */
const clocks = ['host.id', 'host.name', 'k8s.node.name', 'service.instance.id', 'k8s.pod.name'];

/**
 * Corrects clocks that disagree. A span on another machine than its parent that starts before the parent does, or, in a call,
 * after the caller has its answer, shows that the clocks differ: it is moved into the middle of its parent, or to its
 * start when it took longer, and so is all below it on the same machine. Spans on one machine are never moved apart.
 */
export function correctClocks({ ordered }: SpanTree): void {
  for (const node of ordered) {
    const { parent } = node;
    if (parent === undefined) continue;
    node.skewMs = clockOf(node) === clockOf(parent) ? parent.skewMs : skewOf(node, parent);
    node.startMs += node.skewMs;
  }
}

function skewOf(node: SpanNode, parent: SpanNode): number {
  const early = node.startMs < parent.startMs;
  const late = isCall(parent, node) && node.startMs > endMsOf(parent);
  if (!early && !late) return 0;
  const room = Math.max(0, parent.durationMs - node.durationMs) / 2;
  return parent.startMs + room - node.startMs;
}

const isCall = (parent: SpanNode, child: SpanNode) =>
  spanKinds[parent.item.span.kind] === 'client' && spanKinds[child.item.span.kind] === 'server';

function clockOf({ item: { service, resource } }: SpanNode): string {
  for (const key of clocks) {
    const value = textOf(resource.attributes, key);
    if (value !== undefined) return `${key}=${value}`;
  }
  return service;
}

const textOf = (attributes: readonly KeyValue[], key: string) =>
  attributes.find((attribute) => attribute.key === key)?.value.stringValue;
