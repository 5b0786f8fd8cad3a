/** The beginning that `pg_dump -Fc` writes, and some bytes after it. `compression`: algorithm, before 1.15 level. */
export function customDump(data: Buffer, compression: number, minor = 16): Buffer {
  const head = Buffer.from([1, minor, 0, 4, 8, 1]);
  const how = minor >= 15 ? Buffer.from([compression]) : Buffer.from([0, compression, 0, 0, 0]);
  return Buffer.concat([Buffer.from('PGDMP'), head, how, data]);
}

/** The magic number of `mongodump --archive`, and some bytes after it. */
export const mongoArchive = (data: Buffer): Buffer => Buffer.concat([Buffer.from('6de29981', 'hex'), data]);

/** A tar of one file. */
export function tarOf(name: string, data: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write(data.length.toString(8).padStart(11, '0'), 124);
  header.write('ustar\0', 257);
  return Buffer.concat([header, data, Buffer.alloc(1024 + ((512 - (data.length % 512)) % 512))]);
}
