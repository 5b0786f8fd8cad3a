export type ReportFormat = 'json' | 'markdown';

/**
 * What an `Accept` header asks for: Markdown where it is given more weight than JSON. Whatever names neither gets JSON, and
 * so does a header that cannot be read.
 */
export function formatOf(accept: string | undefined): ReportFormat {
  return weightOf(accept, 'text/markdown') > weightOf(accept, 'application/json') ? 'markdown' : 'json';
}

/** As RFC 9110 has it: of the ranges that match, the most exact one counts. */
function weightOf(accept = '', type: string): number {
  const [major = ''] = type.split('/');
  const ranges = accept.slice(0, 1_000).split(',').map(rangeOf);
  for (const wanted of [type, `${major}/*`, '*/*']) {
    const found = ranges.find(({ range }) => range === wanted);
    if (found !== undefined) return found.weight;
  }
  return 0;
}

function rangeOf(text: string): { range: string; weight: number } {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  const weight = quality === undefined ? 1 : Number(quality.slice(2));
  return { range, weight: weight >= 0 && weight <= 1 ? weight : 0 };
}
