import { CliError } from '../cli-error.ts';

/**
 * Checks a platform's URL before any key is sent to it.
 *
 * @param from where it was read, for the message.
 * @throws CliError for one that is none, carries a password or query, or would send the key in clear text.
 */
export function checkBaseUrl(text: string, from: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.search !== '' || url.hash !== '') {
    throw new CliError(
      'usage',
      `${from} is no URL of a platform; it looks like https://mainstay.example.com`,
    );
  }
  // The text may hold a password: it is not repeated.
  if (url.username !== '' || url.password !== '') {
    throw new CliError('usage', `${from} holds a name or password; put the API key into MAINSTAY_API_KEY.`);
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new CliError('usage', `${from} has to begin with https://, or the key travels in clear text.`);
  }
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}
