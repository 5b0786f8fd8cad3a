import type { LifecycleRule } from '../model.ts';
import { element, field } from './xml.ts';

/** One rule of a lifecycle configuration in XML. */
export function lifecycleRuleElement(rule: LifecycleRule): string {
  const { expiration, noncurrentVersionExpiration: noncurrent } = rule;
  return element(
    'Rule',
    field('ID', rule.id),
    filterElement(rule),
    field('Status', rule.enabled ? 'Enabled' : 'Disabled'),
    ...(rule.transitions ?? []).map((step) =>
      element(
        'Transition',
        field('Days', step.days),
        field('Date', step.date),
        field('StorageClass', step.storageClass),
      ),
    ),
    expiration
      ? element(
          'Expiration',
          field('Days', expiration.days),
          field('Date', expiration.date),
          field('ExpiredObjectDeleteMarker', expiration.expiredObjectDeleteMarker),
        )
      : '',
    ...(rule.noncurrentVersionTransitions ?? []).map((step) =>
      element(
        'NoncurrentVersionTransition',
        field('NoncurrentDays', step.noncurrentDays),
        field('NewerNoncurrentVersions', step.newerNoncurrentVersions),
        field('StorageClass', step.storageClass),
      ),
    ),
    noncurrent
      ? element(
          'NoncurrentVersionExpiration',
          field('NoncurrentDays', noncurrent.noncurrentDays),
          field('NewerNoncurrentVersions', noncurrent.newerNoncurrentVersions),
        )
      : '',
    rule.abortIncompleteMultipartUpload
      ? element(
          'AbortIncompleteMultipartUpload',
          field('DaysAfterInitiation', rule.abortIncompleteMultipartUpload.daysAfterInitiation),
        )
      : '',
  );
}

function filterElement({ prefix, tags = {}, sizeGreaterThan, sizeLessThan }: LifecycleRule): string {
  const conditions = [
    ...(prefix !== undefined ? [field('Prefix', prefix)] : []),
    ...Object.entries(tags).map(([key, value]) => element('Tag', field('Key', key), field('Value', value))),
    ...(sizeGreaterThan !== undefined ? [field('ObjectSizeGreaterThan', sizeGreaterThan)] : []),
    ...(sizeLessThan !== undefined ? [field('ObjectSizeLessThan', sizeLessThan)] : []),
  ];
  if (conditions.length === 0) return element('Filter', field('Prefix', ''));
  return element('Filter', conditions.length === 1 ? (conditions[0] ?? '') : element('And', ...conditions));
}
