import { mkdtempSync, rmSync } from 'node:fs';
import http, { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { post, visibleText } from '../../../../functions/access/webhooks/post.ts';
import { resolvePublic, type Target } from '../../../../functions/access/webhooks/resolve-public.ts';
import { type ServerCertificate, serverCertificate } from '../../../../local/postgres/certificates.ts';
import { portOf } from './support.ts';

const name = 'hooks.example';
const directory = mkdtempSync(join(tmpdir(), 'mainstay-webhooks-'));
let certificate: ServerCertificate;
const open: { server: Server; sockets: Set<Socket> }[] = [];

beforeAll(async () => {
  certificate = await serverCertificate(directory, [name, '127.0.0.1']);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));
afterEach(() => {
  for (const { server, sockets } of open.splice(0)) {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});

async function listening(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  open.push({ server, sockets });
  return portOf(server);
}

/** A target whose name is resolved to this machine, as if DNS said so. */
const target = (url: string, address = '127.0.0.1'): Target => ({ url: new URL(url), address, family: 4 });
const request = { headers: { 'content-type': 'application/json' }, body: '{"a":1}' };
const trusting = () => ({ ...request, authorities: [certificate.authority] });

const secure = (listener: RequestListener) =>
  listening(createHttpsServer({ cert: certificate.certificate, key: certificate.key }, listener));
const plain = (listener: RequestListener) => listening(createHttpServer(listener));
const raw = (onSocket: (socket: Socket) => void) => listening(createTcpServer(onSocket));

describe('a request', () => {
  it('goes to the pinned address with the name of the URL in SNI and Host, whatever DNS says', async () => {
    const seen: unknown[] = [];
    const port = await listening(
      createHttpsServer(
        {
          cert: certificate.certificate,
          key: certificate.key,
          SNICallback: (servername, done) => {
            seen.push(servername);
            done(null);
          },
        },
        (incoming, response) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('end', () => {
            seen.push(incoming.method, incoming.url, incoming.headers.host, incoming.headers.connection);
            seen.push(Buffer.concat(chunks).toString());
            response.writeHead(204, { 'retry-after': '7' }).end();
          });
        },
      ),
    );
    // Nobody resolves this name: a connection proves that the pinned address was used.
    const answer = await post(target(`https://${name}:${port}/in?x=1`), trusting());
    expect(answer).toEqual({ status: 204, text: '', retryAfter: '7' });
    expect(seen).toEqual([name, 'POST', '/in?x=1', `${name}:${port}`, 'close', '{"a":1}']);
  });

  it('does not trust an authority that Node.js does not know', async () => {
    const port = await secure((_incoming, response) => response.end());
    await expect(post(target(`https://${name}:${port}/`), request)).rejects.toMatchObject({
      name: 'DeliveryError',
      code: 'tls-failed',
    });
  });

  it('refuses a certificate that is for another name', async () => {
    const port = await secure((_incoming, response) => response.end());
    await expect(post(target(`https://other.example:${port}/`), trusting())).rejects.toMatchObject({
      code: 'tls-failed',
      message: 'TLS was not established: ERR_TLS_CERT_ALTNAME_INVALID.',
    });
  });

  it('refuses what is no TLS', async () => {
    const port = await plain((_incoming, response) => response.end());
    await expect(post(target(`https://${name}:${port}/`), trusting())).rejects.toMatchObject({
      code: 'tls-failed',
    });
  });

  it('takes a redirect for an answer, and does not follow it', async () => {
    let redirected = 0;
    const inner = await plain((_incoming, response) => {
      redirected++;
      response.end();
    });
    const port = await plain((_incoming, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${inner}/` }).end();
    });
    const answer = await post(target(`http://${name}:${port}/`), request);
    expect(answer.status).toBe(307);
    expect(redirected).toBe(0);
  });

  it('to an address needs a certificate for that address', async () => {
    const port = await secure((_incoming, response) => response.end());
    expect((await post(target(`https://127.0.0.1:${port}/`), trusting())).status).toBe(200);
    const other = target(`https://127.0.0.2:${port}/`, '127.0.0.2');
    await expect(post(other, trusting())).rejects.toThrow();
  });

  it('uses neither the proxy nor the connections that other requests of the process use', async () => {
    const agent = http.globalAgent;
    let proxied = 0;
    const proxy = await raw((socket) => {
      proxied++;
      socket.destroy();
    });
    const port = await plain((_incoming, response) => response.end());
    http.globalAgent = new http.Agent({
      keepAlive: true,
      proxyEnv: { HTTP_PROXY: `http://127.0.0.1:${proxy}` },
    });
    try {
      expect((await post(target(`http://${name}:${port}/`), request)).status).toBe(200);
      expect(proxied).toBe(0);
    } finally {
      http.globalAgent = agent;
    }
  });
});

describe('an answer', () => {
  it('that never comes ends the request', async () => {
    const port = await plain(() => {});
    await expect(post(target(`http://${name}:${port}/`), { ...request, totalMs: 50 })).rejects.toMatchObject({
      code: 'timeout',
    });
  });

  it('that drips ends the request', async () => {
    const port = await raw((socket) => {
      socket.on('error', () => {});
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n');
      const timer = setInterval(() => socket.write('a'), 5);
      socket.on('close', () => clearInterval(timer));
    });
    await expect(post(target(`http://${name}:${port}/`), { ...request, totalMs: 60 })).rejects.toMatchObject({
      code: 'timeout',
    });
  });

  it('that has no end is read no further than its bound', async () => {
    let sent = 0;
    const port = await plain((_incoming, response) => {
      response.writeHead(200);
      const fill = () => {
        while (!response.destroyed && response.write('x'.repeat(1_024))) sent += 1_024;
      };
      response.on('drain', fill);
      fill();
    });
    const answer = await post(target(`http://${name}:${port}/`), { ...request, totalMs: 5_000 });
    expect(answer).toMatchObject({ status: 200, text: 'x'.repeat(200) });
    // What the buffers of two sockets take, and not a stream without end.
    expect(sent).toBeLessThan(50_000_000);
  });

  it('that is no HTTP is told apart', async () => {
    const port = await raw((socket) => {
      socket.on('error', () => {});
      socket.end('SSH-2.0-OpenSSH_9.7\r\n');
    });
    await expect(post(target(`http://${name}:${port}/`), request)).rejects.toMatchObject({
      code: 'answer-broken',
    });
  });

  it('with headers beyond their bound is refused', async () => {
    const port = await raw((socket) => {
      socket.on('error', () => {});
      socket.write(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(40_000)}\r\n\r\n`);
    });
    await expect(post(target(`http://${name}:${port}/`), request)).rejects.toMatchObject({
      code: 'answer-broken',
    });
  });

  it('that is cut short is no answer', async () => {
    const port = await raw((socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\npart');
    });
    await expect(post(target(`http://${name}:${port}/`), request)).rejects.toMatchObject({
      code: 'answer-broken',
    });
  });

  it('is shown without what cannot be seen, and cut', () => {
    expect(visibleText(Buffer.from('  a\u0000\u001b[31m\r\n\u202eb\t\tc '))).toBe('a [31m b c');
    expect(visibleText(Buffer.from('é'.repeat(300)))).toBe('é'.repeat(200));
    expect(visibleText(Buffer.of(0xff, 0xfe))).toBe('\ufffd\ufffd');
  });
});

describe('a connection', () => {
  it('that is refused is told, without its address', async () => {
    const port = await plain(() => {});
    open.at(-1)?.server.close();
    await expect(post(target(`http://${name}:${port}/`), request)).rejects.toMatchObject({
      code: 'connection-failed',
      message: 'The connection failed: ECONNREFUSED.',
    });
  });

  it('whose TLS is never answered ends with the time for connecting', async () => {
    const port = await raw(() => {});
    await expect(
      post(target(`https://${name}:${port}/`), { ...trusting(), connectMs: 50 }),
    ).rejects.toMatchObject({
      code: 'timeout',
      message: 'The connection was not established in time.',
    });
  });

  it('is never made when the name is bound to another address between two attempts', async () => {
    let connections = 0;
    const port = await raw(() => connections++);
    const answers = [['93.184.215.14'], ['127.0.0.1']];
    const options = { lookup: async () => answers.shift() ?? [], privateNetworks: [] };
    const url = `https://${name}:${port}/`;
    expect(await resolvePublic(url, options)).toMatchObject({ address: '93.184.215.14' });
    await expect(resolvePublic(url, options).then((found) => post(found, request))).rejects.toMatchObject({
      code: 'address-not-allowed',
    });
    expect(connections).toBe(0);
  });
});
