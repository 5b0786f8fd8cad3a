import { statusClasses, type Tally, type TenantTally } from '../tally/tally.ts';
import type { Family } from './family.ts';

/** What tenants have used, as families of metrics: what costs are attributed by. */
export function tenantFamilies(tally: Tally): Family[] {
  const tenants = [...tally.tenants].sort(([one], [two]) => (one < two ? -1 : 1));
  const used = (read: (tenant: TenantTally) => number) =>
    tenants.map(([tenant, each]) => ({ labels: { tenant }, value: read(each) }));
  return [
    {
      name: 'mainstay_tenant_requests',
      help: 'Requests of the API with keys of a tenant, by class of status.',
      type: 'counter',
      samples: tenants.flatMap(([tenant, { codes }]) =>
        statusClasses.flatMap((code) =>
          codes[code] === undefined ? [] : [{ labels: { tenant, code }, value: codes[code] }],
        ),
      ),
    },
    {
      name: 'mainstay_tenant_request_seconds',
      help: 'Time that requests of the API with keys of a tenant have taken.',
      type: 'counter',
      unit: 'seconds',
      samples: used(({ sumMs }) => sumMs / 1000),
    },
    {
      name: 'mainstay_tenant_edge_requests',
      help: 'Requests of a tenant’s websites at the edge.',
      type: 'counter',
      samples: used(({ edgeRequests }) => edgeRequests),
    },
    {
      name: 'mainstay_tenant_edge_sent_bytes',
      help: 'Bytes that the edge has sent for a tenant’s websites.',
      type: 'counter',
      unit: 'bytes',
      samples: used(({ edgeBytes }) => edgeBytes),
    },
  ];
}
