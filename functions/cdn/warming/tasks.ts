import type { z } from 'zod';
import type { encodingSchema, imageFormatSchema } from './model.ts';
import type { Wanted } from './record.ts';

/** One request that is to be made. */
export interface Task {
  readonly path: string;
  readonly encoding: z.output<typeof encodingSchema>;
  readonly imageFormat: z.output<typeof imageFormatSchema> | null;
  /** `host[:port]` of the edge location; absent: the nearest. */
  readonly address?: string;
}

/** Files that edges compress, by the end of their names; a name without an end is a page. */
const compressed =
  /(?:\/[^/.]*|\.(?:html?|css|m?js|json|map|svg|xml|txt|csv|webmanifest|wasm|ttf|otf|eot|ico))$/i;
const images = /\.(?:jpe?g|png|gif)$/i;

/** The requests of a warming, urgent paths first, in an order that depends on what is wanted alone. */
export function tasksOf({ paths, encodings, imageFormats }: Wanted, addresses: readonly string[]): Task[] {
  const urgent = [...paths].sort((one, other) => rank(one.priority) - rank(other.priority));
  return urgent.flatMap(({ path }) => {
    const [name = ''] = path.split('?');
    const own = encodings ?? (compressed.test(name) ? (['br', 'gzip'] as const) : (['identity'] as const));
    const formats = images.test(name) ? [null, ...imageFormats] : [null];
    return own.flatMap((encoding) =>
      formats.flatMap((imageFormat) =>
        addresses.length === 0
          ? [{ path, encoding, imageFormat }]
          : addresses.map((address) => ({ path, encoding, imageFormat, address })),
      ),
    );
  });
}

const rank = (priority: 'normal' | 'high'): number => (priority === 'high' ? 0 : 1);

/** How a browser that takes this variant asks. */
export function headersOf({ encoding, imageFormat }: Task): Record<string, string> {
  const accept = { avif: 'image/avif,image/webp,*/*', webp: 'image/webp,*/*' };
  return {
    'accept-encoding': encoding === 'br' ? 'gzip, deflate, br' : encoding,
    accept: imageFormat === null ? '*/*' : accept[imageFormat],
  };
}
