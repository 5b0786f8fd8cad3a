import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { HttpRequest } from '../shared/http-handler.ts';

/** A text or file that is the same for everybody until the next deployment. */
export interface Asset {
  /** `content-type`, and what else its answers carry. */
  readonly headers: Readonly<Record<string, string>> & { readonly 'content-type': string };
  readonly content: string | Uint8Array;
}

export interface AssetAnswer {
  readonly headers: Readonly<Record<string, string>>;
  /** Absent when the client has it already. */
  readonly body?: Uint8Array;
}

interface Prepared {
  readonly headers: Readonly<Record<string, string>>;
  readonly etag: string;
  readonly plain: Uint8Array;
  readonly compressed: Promise<Uint8Array> | undefined;
}

/** Serves assets compressed and with an ETag; each is read and compressed once per execution environment. */
export class AssetServer {
  readonly #assets: ReadonlyMap<string, () => Asset | Promise<Asset>>;
  readonly #prepared = new Map<string, Promise<Prepared>>();

  /** @param assets how to get each asset, by the path it is served at. */
  constructor(assets: Readonly<Record<string, () => Asset | Promise<Asset>>>) {
    this.#assets = new Map(Object.entries(assets));
  }

  /** The answer for the asset at that path, or `undefined` where there is none. */
  async answer(path: string, { headers }: HttpRequest): Promise<AssetAnswer | undefined> {
    const load = this.#assets.get(path);
    if (load === undefined) return undefined;
    const asset = await this.#prepare(path, load);
    const common = {
      // Used without asking for an hour at most; then the ETag tells whether it still holds.
      'cache-control': 'public, max-age=3600',
      ...asset.headers,
      etag: asset.etag,
      vary: 'Accept-Encoding',
    };
    if (namesTag(headers['if-none-match'], asset.etag)) return { headers: common };
    const zipped = takesGzip(headers['accept-encoding']) ? await asset.compressed : undefined;
    if (zipped === undefined) return { headers: common, body: asset.plain };
    return { headers: { ...common, 'content-encoding': 'gzip' }, body: zipped };
  }

  #prepare(path: string, load: () => Asset | Promise<Asset>): Promise<Prepared> {
    const known = this.#prepared.get(path);
    if (known !== undefined) return known;
    const preparing = Promise.resolve().then(load).then(prepare);
    this.#prepared.set(path, preparing);
    preparing.catch(() => this.#prepared.delete(path));
    return preparing;
  }
}

const zip = promisify(gzip);

function prepare({ content, headers }: Asset): Prepared {
  const plain = Buffer.from(content);
  const hash = createHash('sha256').update(plain).digest('base64url').slice(0, 22);
  const compressible = plain.length > 1024 && !headers['content-type'].startsWith('image/');
  // A weak tag: compressed or not, it is the same asset.
  return {
    headers,
    etag: `W/"${hash}"`,
    plain,
    compressed: compressible ? zip(plain, { level: 6 }) : undefined,
  };
}

function namesTag(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((tag) => tag.trim() === '*' || tag.trim() === etag);
}

function takesGzip(header: string | undefined): boolean {
  return (header ?? '')
    .split(',')
    .some((coding) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/.test(coding));
}
