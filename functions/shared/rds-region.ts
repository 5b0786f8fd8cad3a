const endpoint = /\.([a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com(?:\.cn)?$/i;

/**
 * The region that an endpoint of RDS is in, which its host name says: `name.cluster-id.<region>.rds.amazonaws.com`. A token for
 * IAM database authentication has to be signed for it.
 *
 * @returns nothing for any other host name, such as an alias of one's own.
 */
export function rdsRegionOf(host: string): string | undefined {
  return endpoint.exec(host)?.[1]?.toLowerCase();
}
