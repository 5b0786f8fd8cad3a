import type { Format } from './text.ts';

/**
 * The format that a scraper wants, by its `Accept` (RFC 9110, 12.5.1): OpenMetrics where it is asked for by name and not less liked
 * than plain text, else Prometheus' text format, which every scraper reads.
 */
export function negotiate(accept: string | undefined): Format {
  let open = 0;
  let plain = 0;
  for (const part of (accept ?? '').slice(0, 2_000).split(',')) {
    const [type = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const value = (name: string) =>
      parameters.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1);
    const liked = Number(value('q') ?? 1);
    if (!(liked > 0)) continue;
    if (type === 'application/openmetrics-text' && ['1.0.0', undefined].includes(value('version'))) {
      open = Math.max(open, liked);
    }
    if (type === 'text/plain' || type === 'text/*' || type === '*/*') plain = Math.max(plain, liked);
  }
  return open > 0 && open >= plain ? 'openmetrics' : 'prometheus';
}
