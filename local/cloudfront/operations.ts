import * as z from 'zod';
import { defineOperation } from '../aws/define-operation.ts';
import { type Authorization, AwsError, type Operation } from '../aws/operation.ts';
import { page } from '../aws/paging.ts';
import type { DistributionBook } from './book.ts';
import type { Invalidation, Invalidations, InvalidationTarget } from './invalidations.ts';
import { configShape, distributionShape, invalidationShape, quantified, tenantShape } from './shapes.ts';

export interface OperationParts {
  book: DistributionBook;
  invalidations: Invalidations;
  /** Host name and port of the edge. */
  domainName: () => string;
}

const batch = z.strictObject({
  CallerReference: z.string().min(1),
  Paths: z.strictObject({ Quantity: z.number(), Items: z.array(z.string()).default([]) }),
});
const paging = {
  Marker: z.string().optional(),
  MaxItems: z.coerce.number().int().min(1).max(100).default(100),
};
const ofDistribution = z.strictObject({ Id: z.string() });
const etag = 'E2QWRUHEXAMPLE';

/** The operations of CloudFront that read distributions, and invalidate. Templates make everything else. */
export function cloudFrontOperations(parts: OperationParts): Readonly<Record<string, Operation>> {
  const { book, invalidations, domainName } = parts;
  const onDistribution = (action: string, id: string): Authorization[] => [
    { action: `cloudfront:${action}`, resource: book.distribution(id).arn },
  ];
  const onTenant = (action: string, id: string): Authorization[] => [
    { action: `cloudfront:${action}`, resource: book.tenant(id).arn },
  ];
  const describe = (id: string) => {
    const distribution = book.distribution(id);
    return distributionShape(distribution, domainName(), invalidations.inProgress(id));
  };
  const targetOf = (id: string): InvalidationTarget => {
    const { config } = book.distribution(id);
    return { owner: id, distributionId: id, tagged: config.CacheTagConfig !== undefined };
  };
  const tenantTargetOf = (id: string): InvalidationTarget => {
    const tenant = book.tenant(id);
    return { ...targetOf(tenant.distributionId), owner: tenant.id };
  };
  const create = (target: InvalidationTarget, { Paths, CallerReference }: z.output<typeof batch>) => {
    if (Paths.Quantity !== Paths.Items.length) {
      throw new AwsError(
        'InconsistentQuantities',
        'The value of Quantity and the size of Items do not match.',
        400,
      );
    }
    const made = invalidations.create(target, Paths.Items, CallerReference);
    return {
      Location: `https://cloudfront.amazonaws.com/2020-05-31/invalidation/${made.id}`,
      Invalidation: invalidationShape(made),
    };
  };

  return {
    GetDistribution: defineOperation('cloudfront:GetDistribution', ofDistribution, {
      authorize: ({ Id }) => onDistribution('GetDistribution', Id),
      run: ({ Id }) => ({ Distribution: describe(Id), ETag: etag }),
    }),
    GetDistributionConfig: defineOperation('cloudfront:GetDistributionConfig', ofDistribution, {
      authorize: ({ Id }) => onDistribution('GetDistributionConfig', Id),
      run: ({ Id }) => ({ DistributionConfig: configShape(book.distribution(Id)), ETag: etag }),
    }),
    ListDistributions: defineOperation('cloudfront:ListDistributions', z.strictObject(paging), {
      authorize: () => [{ action: 'cloudfront:ListDistributions', resource: '*' }],
      run: ({ Marker, MaxItems }) => {
        const { items, next } = listed([...book.distributions.values()], ({ id }) => id, Marker, MaxItems);
        const summaries = items.map(({ id }) => {
          const { DistributionConfig, InProgressInvalidationBatches: _, ...rest } = describe(id);
          return { ...DistributionConfig, ...rest };
        });
        return { DistributionList: { ...envelope(Marker, MaxItems, next), ...quantified(summaries) } };
      },
    }),
    CreateInvalidation: defineOperation(
      'cloudfront:CreateInvalidation',
      z.strictObject({ DistributionId: z.string(), InvalidationBatch: batch }),
      {
        authorize: ({ DistributionId }) => onDistribution('CreateInvalidation', DistributionId),
        run: ({ DistributionId, InvalidationBatch }) => create(targetOf(DistributionId), InvalidationBatch),
      },
    ),
    GetInvalidation: defineOperation(
      'cloudfront:GetInvalidation',
      z.strictObject({ DistributionId: z.string(), Id: z.string() }),
      {
        authorize: ({ DistributionId }) => onDistribution('GetInvalidation', DistributionId),
        run: ({ DistributionId, Id }) => ({
          Invalidation: invalidationShape(invalidations.get(DistributionId, Id)),
        }),
      },
    ),
    ListInvalidations: defineOperation(
      'cloudfront:ListInvalidations',
      z.strictObject({ DistributionId: z.string(), ...paging }),
      {
        authorize: ({ DistributionId }) => onDistribution('ListInvalidations', DistributionId),
        run: ({ DistributionId, Marker, MaxItems }) =>
          invalidationList(invalidations.of(DistributionId), Marker, MaxItems),
      },
    ),
    CreateInvalidationForDistributionTenant: defineOperation(
      'cloudfront:CreateInvalidationForDistributionTenant',
      z.strictObject({ Id: z.string(), InvalidationBatch: batch }),
      {
        authorize: ({ Id }) => onTenant('CreateInvalidationForDistributionTenant', Id),
        run: ({ Id, InvalidationBatch }) => create(tenantTargetOf(Id), InvalidationBatch),
      },
    ),
    GetInvalidationForDistributionTenant: defineOperation(
      'cloudfront:GetInvalidationForDistributionTenant',
      z.strictObject({ DistributionTenantId: z.string(), Id: z.string() }),
      {
        authorize: ({ DistributionTenantId }) =>
          onTenant('GetInvalidationForDistributionTenant', DistributionTenantId),
        run: ({ DistributionTenantId, Id }) => ({
          Invalidation: invalidationShape(invalidations.get(book.tenant(DistributionTenantId).id, Id)),
        }),
      },
    ),
    ListInvalidationsForDistributionTenant: defineOperation(
      'cloudfront:ListInvalidationsForDistributionTenant',
      z.strictObject({ Id: z.string(), ...paging }),
      {
        authorize: ({ Id }) => onTenant('ListInvalidationsForDistributionTenant', Id),
        run: ({ Id, Marker, MaxItems }) =>
          invalidationList(invalidations.of(book.tenant(Id).id), Marker, MaxItems),
      },
    ),
    GetDistributionTenant: defineOperation(
      'cloudfront:GetDistributionTenant',
      z.strictObject({ Identifier: z.string() }),
      {
        authorize: ({ Identifier }) => onTenant('GetDistributionTenant', Identifier),
        run: ({ Identifier }) => ({ DistributionTenant: tenantShape(book.tenant(Identifier)), ETag: etag }),
      },
    ),
    GetDistributionTenantByDomain: defineOperation(
      'cloudfront:GetDistributionTenantByDomain',
      z.strictObject({ Domain: z.string() }),
      {
        authorize: ({ Domain }) => onTenant('GetDistributionTenantByDomain', book.tenantOf(Domain).id),
        run: ({ Domain }) => ({ DistributionTenant: tenantShape(book.tenantOf(Domain)), ETag: etag }),
      },
    ),
  };
}

function invalidationList(all: readonly Invalidation[], marker: string | undefined, maxItems: number) {
  const { items, next } = listed(all, ({ id }) => id, marker, maxItems);
  const summaries = items.map((each) => {
    const { Id, CreateTime, Status } = invalidationShape(each);
    return { Id, CreateTime, Status };
  });
  return { InvalidationList: { ...envelope(marker, maxItems, next), ...quantified(summaries) } };
}

function listed<T>(
  items: readonly T[],
  keyOf: (item: T) => string,
  token: string | undefined,
  limit: number,
) {
  return page(items, { keyOf, limit, token, invalidToken: 'InvalidArgument' });
}

function envelope(marker: string | undefined, maxItems: number, next: string | undefined) {
  return {
    Marker: marker ?? '',
    MaxItems: maxItems,
    IsTruncated: next !== undefined,
    ...(next !== undefined && { NextMarker: next }),
  };
}
