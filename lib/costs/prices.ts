/** A list price in US dollars, and what it is paid for. */
export interface Price {
  dollars: number;
  per: string;
}

/**
 * List prices in us-east-1, as assumed for November 2026. They are inputs of the estimate: look them up for your region,
 * change them here, and write the page anew.
 */
export const prices = {
  acuHour: { dollars: 0.12, per: 'Aurora capacity unit and hour' },
  auroraStorage: { dollars: 0.1, per: 'GB and month' },
  auroraIo: { dollars: 0.2, per: 'million I/O requests' },
  auroraBackup: { dollars: 0.021, per: 'GB and month' },
  kmsKey: { dollars: 1, per: 'key and month' },
  kmsRequests: { dollars: 3, per: 'million requests' },
  endpointHour: { dollars: 0.01, per: 'zone and hour' },
  secret: { dollars: 0.4, per: 'secret and month' },
  alarm: { dollars: 0.1, per: 'alarm and month' },
  /** Beside what any alarm costs. */
  highResolution: { dollars: 0.2, per: 'alarm and month' },
  dashboard: { dollars: 3, per: 'dashboard and month' },
  metric: { dollars: 0.3, per: 'metric and month' },
  logs: { dollars: 0.5, per: 'GB' },
  flowLogs: { dollars: 0.25, per: 'GB' },
  s3Storage: { dollars: 0.023, per: 'GB and month' },
  s3Puts: { dollars: 5, per: 'million requests' },
  transferBetweenRegions: { dollars: 0.02, per: 'GB' },
  replicationTimeControl: { dollars: 0.015, per: 'GB' },
  lambdaCompute: { dollars: 0.0000133334, per: 'GB-second (arm64)' },
  lambdaRequests: { dollars: 0.2, per: 'million requests' },
  transitions: { dollars: 25, per: 'million transitions' },
  dynamoWrites: { dollars: 0.625, per: 'million writes' },
  apiRequests: { dollars: 1, per: 'million requests' },
  cdnTransfer: { dollars: 0.085, per: 'GB' },
  cdnRequests: { dollars: 1, per: 'million requests' },
  webAcl: { dollars: 5, per: 'web ACL and month' },
  webAclRule: { dollars: 1, per: 'rule and month' },
  webAclRequests: { dollars: 0.6, per: 'million requests' },
} satisfies Record<string, Price>;
