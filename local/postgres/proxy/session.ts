import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type SecureContext, TLSSocket } from 'node:tls';
import type { Backend, TokenCheck } from './backend.ts';
import {
  authenticationRequest,
  fatalError,
  ProtocolError,
  readExactly,
  readResponse,
  readStartup,
  requestCode,
  type StartupPacket,
  startupParameters,
} from './packets.ts';
import { mechanism, ScramServer } from './scram.ts';

export interface SessionOptions {
  secureContext: SecureContext;
  forceSsl: boolean;
  /** Port of the endpoint, as clients know it. */
  port: number;
  resourceId: string;
  checkToken: TokenCheck;
  /** Waits until a client of that name may go on; false when its connection is to be reset. */
  admit(clientName: string): Promise<boolean>;
  /** The server behind the endpoint now. @throws when there is none. */
  backend(): Backend | Promise<Backend>;
}

/** A client that has been authenticated, and its connection to the server. */
export interface Session {
  client: Duplex;
  /** Its `application_name`; empty when it has not said one. */
  clientName: string;
  server: Socket;
}

/** The client is told why and sent away. */
class Refusal extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Name of PostgreSQL's protocol in TLS (ALPN). */
const protocolName = 'postgresql';

/**
 * Receives a client as a server would: TLS, startup message, authentication. The connection to the
 * server is opened once the client has proven who it is.
 *
 * @returns undefined when there is nothing to relay: a refused client, a cancel request.
 */
export async function openSession(socket: Socket, options: SessionOptions): Promise<Session | undefined> {
  const { stream, startup } = await negotiate(socket, options);
  const clientName = nameOf(startup);
  if (!(await options.admit(clientName))) {
    socket.resetAndDestroy();
    return undefined;
  }
  try {
    const backend = await options.backend();
    if (startup.code === requestCode.cancel) {
      await forwardCancel(backend, startup.raw);
      stream.end();
      return undefined;
    }
    await authenticate(stream, startup, backend, options);
    const server = await connected(backend.socketPath);
    server.write(startup.raw);
    return { client: stream, clientName, server };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    stream.end(fatalError(error.code, error.message));
    return undefined;
  }
}

/** A request to cancel carries no name. */
function nameOf(startup: StartupPacket): string {
  if (startup.code === requestCode.cancel) return '';
  return startupParameters(startup).get('application_name') ?? '';
}

async function negotiate(
  socket: Socket,
  options: SessionOptions,
): Promise<{ stream: Duplex; startup: StartupPacket }> {
  const first = await readExactly(socket, 1);
  socket.unshift(first);
  // A TLS handshake at once, without asking first, is what `sslnegotiation=direct` does.
  if (first[0] === 0x16) return { ...(await secured(socket, options)) };
  for (;;) {
    const startup = await readStartup(socket);
    if (startup.code === requestCode.ssl) {
      if (socket.readableLength > 0) throw new ProtocolError('Bytes that came before TLS was agreed on');
      socket.write('S');
      return secured(socket, options);
    }
    if (startup.code !== requestCode.gssEncryption) return { stream: socket, startup };
    socket.write('N');
  }
}

async function secured(socket: Socket, { secureContext }: SessionOptions) {
  const stream = new TLSSocket(socket, { isServer: true, secureContext, ALPNProtocols: [protocolName] });
  // Whatever goes wrong shows as the end of the stream.
  stream.on('error', () => stream.destroy());
  return { stream, startup: await readStartup(stream) };
}

async function authenticate(
  stream: Duplex,
  startup: StartupPacket,
  backend: Backend,
  options: SessionOptions,
): Promise<void> {
  const parameters = startupParameters(startup);
  const user = parameters.get('user') ?? '';
  if (user === '') throw new Refusal('28000', 'no PostgreSQL user name specified in startup packet');
  const secure = stream instanceof TLSSocket;
  const place = `host "127.0.0.1", user "${user}", database "${parameters.get('database') || user}"`;
  if (options.forceSsl && !secure) {
    throw new Refusal('28000', `no pg_hba.conf entry for ${place}, no encryption`);
  }
  const role = await backend.role(user);
  if (role?.superuser === true) {
    throw new Refusal('28000', `pg_hba.conf rejects connection for ${place}, SSL encryption`);
  }
  if (role?.iam !== true) return checkPassword(stream, user, role?.verifier);
  if (!secure) throw new Refusal('28000', `no pg_hba.conf entry for ${place}, no encryption`);
  await checkToken(stream, user, backend, options);
}

async function checkPassword(stream: Duplex, user: string, verifier: string | undefined): Promise<void> {
  const scram = new ScramServer(verifier, user);
  stream.write(authenticationRequest(10, Buffer.from(`${mechanism}\0\0`)));
  const initial = await readResponse(stream);
  const end = initial.indexOf(0);
  if (initial.toString('utf8', 0, end) !== mechanism)
    throw new Refusal('28000', 'unsupported SASL mechanism');
  let challenge: string;
  try {
    challenge = scram.challenge(initial.toString('utf8', end + 5));
  } catch (error) {
    throw new Refusal('08P01', error instanceof Error ? error.message : String(error));
  }
  stream.write(authenticationRequest(11, Buffer.from(challenge)));
  const final = scram.conclude((await readResponse(stream)).toString('utf8'));
  if (final === undefined) throw new Refusal('28P01', `password authentication failed for user "${user}"`);
  stream.write(authenticationRequest(12, Buffer.from(final)));
}

async function checkToken(
  stream: Duplex,
  user: string,
  backend: Backend,
  { checkToken: check, port, resourceId }: SessionOptions,
): Promise<void> {
  stream.write(authenticationRequest(3));
  const token = (await readResponse(stream)).toString('utf8').replace(/\0$/, '');
  try {
    await check({ token, user, port, resourceId });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    await backend.log(`IAM authentication of "${user}" failed: ${reason}`);
    throw new Refusal('28000', `PAM authentication failed for user "${user}"`);
  }
}

async function forwardCancel(backend: Backend, request: Buffer): Promise<void> {
  const server = await connected(backend.socketPath);
  server.resume();
  server.write(request);
  // The server closes the connection when it has sent the signal.
  await new Promise((resolve) => server.once('close', resolve));
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const server = connect({ path });
    server.once('error', reject);
    server.once('connect', () => {
      server.off('error', reject);
      resolve(server);
    });
  });
}
