/** What made the objects of a backup, as manifests name it. A test compares it with what is installed. */
export const toolVersions: Readonly<Record<string, string>> = {
  pg_dump: '18.3',
  '@electric-sql/pglite-tools': '0.4.8',
  '@aws-crypto/encrypt-node': '5.0.2',
};
