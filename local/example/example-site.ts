import { createHash } from 'node:crypto';
import { crc32, deflateSync } from 'node:zlib';

/** A file of the example's website. */
export interface SiteFile {
  readonly key: string;
  readonly contentType: string;
  readonly body: string | Uint8Array;
  /** What a purge by tag finds it by. */
  readonly tags?: string;
}

const products = ['ladder', 'lantern', 'rope', 'compass', 'anchor', 'sail'];

const style = `:root { color-scheme: light dark; font: 1rem/1.6 system-ui, sans-serif; }
body { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem; }
nav a { margin-right: 1rem; }
.goods { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: 1.5rem; }
.goods img { width: 100%; height: auto; border-radius: .5rem; }
output { display: block; font-family: ui-monospace, monospace; border-left: .25rem solid #478; padding-left: 1rem; }
`.repeat(4);

/** Shows what the edge says of the page itself: whether it came out of the cache, from where, and how old it is. */
const script = `const names = ['x-cache', 'x-amz-cf-pop', 'age', 'cache-status'];
const response = await fetch(location.href, { method: 'HEAD', cache: 'no-store' });
const said = names.map((name) => name + ': ' + (response.headers.get(name) ?? '-'));
document.querySelector('output').textContent = said.join('\\n');
`;

/** The website that the local platform serves through its edge: pages, versioned files, pictures; the same ones each time. */
export function exampleSite(): SiteFile[] {
  const styleKey = versioned('static/site', 'css', style);
  const scriptKey = versioned('static/edge', 'js', script);
  const links = [
    ['/', 'Home'],
    ['/products/index.html', 'Products'],
    ['/about.html', 'About'],
  ];
  const page = (title: string, content: string) => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title} · Harbour Supplies</title>
<link rel="stylesheet" href="/${styleKey}"><script type="module" src="/${scriptKey}"></script></head>
<body><nav>${links.map(([href, text]) => `<a href="${href}">${text}</a>`).join('')}</nav>
<main><h1>${title}</h1>${content}</main><footer><p>What the edge says of this page:</p><output></output></footer></body>
</html>
`;
  const html = 'text/html; charset=utf-8';
  const picture = (name: string) => `<img src="/media/${name}.png" alt="A ${name}" width="240" height="160">`;
  const card = (name: string) => `<a href="/products/${name}.html">${picture(name)}<p>${name}</p></a>`;
  return [
    {
      key: 'index.html',
      contentType: html,
      body: page('Harbour Supplies', `<p>${'Everything that a ship needs and a shore has. '.repeat(20)}</p>`),
      tags: 'pages',
    },
    {
      key: 'about.html',
      contentType: html,
      body: page('About', `<p>${'We have been at the harbour since there is one. '.repeat(20)}</p>`),
      tags: 'pages',
    },
    {
      key: 'products/index.html',
      contentType: html,
      body: page('Products', `<div class="goods">${products.map(card).join('')}</div>`),
      tags: 'pages,products',
    },
    ...products.map((name) => ({
      key: `products/${name}.html`,
      contentType: html,
      body: page(name, `${picture(name)}<p>${`This ${name} holds. `.repeat(40)}</p>`),
      tags: `pages,products,product:${name}`,
    })),
    ...products.map((name, index) => ({
      key: `media/${name}.png`,
      contentType: 'image/png',
      body: waves(240, 160, index),
      tags: `media,product:${name}`,
    })),
    { key: styleKey, contentType: 'text/css; charset=utf-8', body: style },
    { key: scriptKey, contentType: 'text/javascript; charset=utf-8', body: script },
    { key: 'robots.txt', contentType: 'text/plain; charset=utf-8', body: 'User-agent: *\nAllow: /\n' },
  ];
}

/** A name with a hash of the content, so that the file may be kept for ever. */
function versioned(name: string, extension: string, content: string): string {
  return `${name}.${createHash('sha256').update(content).digest('hex').slice(0, 12)}.${extension}`;
}

/** A picture of waves under a sky, as PNG: 8 bits, RGB, each row unfiltered. */
function waves(width: number, height: number, seed: number): Uint8Array {
  const rows = Array.from({ length: height }, (_, y) => {
    const row = Buffer.alloc(1 + width * 3);
    for (let x = 0; x < width; x++) {
      const crest = height / 2 + 18 * Math.sin(x / (14 + seed * 3)) + 8 * Math.sin(x / 7 + seed);
      const [red, green, blue] =
        y > crest ? [20 + seed * 12, 90 + (y % 40), 140 + (x % 30)] : [200 - y, 215 - seed * 8, 235];
      row.set([red, green, blue], 1 + x * 3);
    }
    return row;
  });
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(content));
  return Buffer.concat([length, content, check]);
}
