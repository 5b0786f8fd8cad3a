/** Forms that only secrets have, wherever in a text they stand, in whatever case they were brought into. */
const secretForms = [
  /msk_\w/i,
  /whsec_\S/i,
  /\b(AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}/i,
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY/i,
  /\bPuTTY-User-Key-File/i,
  /\beyJ[\w-]{5,}\.[\w-]{5,}\.?[\w-]*/i,
  /[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]*:[^\s/?#@]*@/i,
  /[a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]{8,}@/i,
  /\b(gh[opsur]_|github_pat_|glpat-|xox[abeoprs]-|sk_(live|test)_|rk_live_|sk-|AIza|npm_|pypi-|dop_v1_|SG\.)[\w-]{8,}/i,
  /\b(basic|bearer)\s+[\w+/=.~-]{6,}/i,
  // Beside an equals sign or a colon: connection strings, headers, lines of a shell.
  /(pass(word|wd|phrase|code)?|pwd|secret|token|credentials?|api[-_. ]?key|access[-_. ]?key|account[-_. ]?key|private[-_. ]?key|shared[-_. ]?key|sig(nature)?)["'\s]*=\s*["']?[^\s"'{[;,&]/i,
  // Not those of an ARN.
  /(?<!:)(pass(word|wd|phrase|code)?|pwd|secret|token|credentials?|api[-_. ]?key|access[-_. ]?key|account[-_. ]?key|private[-_. ]?key|shared[-_. ]?key|sig(nature)?)["'\s]*:(?!\/\/)\s*["']?[^\s"'{[;,&]/i,
  /--?(password|passwd|pwd|pass|secret|token|api-?key)[=\s]+\S/i,
];

/** Runs that may be random. */
const run = /[A-Za-z0-9+/_=~-]{20,}/g;
const uuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** ULIDs of this century; what they name is no secret. */
const ulid = /^0[1-3][0-9A-HJKMNP-TV-Z]{24}$/;
/** How AWS names what it makes: a network, a cluster. */
const awsId = /^(cluster|db|vpc|subnet|sg|eni|igw|nat|rtb|acl|vpce|vol|i|lt|eipalloc)-[A-Za-z0-9]{8,32}$/;
const traceparent = /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[0-9]$/;

/** Bits for each character, from which on a run counts as random. */
const randomBits = { hex: 2.7, mixed: 3.4, letters: 4.1, whatever: 4.4 };
/** From this length on, that many bits are random whatever signs are among them. */
const longRun = 40;

/** Whether a text has a secret in it, as it stands. */
export function isSecretText(text: string): boolean {
  if (secretForms.some((form) => form.test(text))) return true;
  return (text.match(run) ?? []).some(
    (found) => found.split('/').some(isRandom) || isRandom(unslashed(found)),
  );
}

/** Base64 has slashes too: those of a path stand between words of one case. */
const unslashed = (found: string): string => (isOfBothCases(found) ? found : '');

const isOfBothCases = (found: string): boolean => /[a-z]/.test(found) && /[A-Z]/.test(found);

function isRandom(found: string): boolean {
  if (found.length < 20 || uuid.test(found) || ulid.test(found)) return false;
  if (awsId.test(found) || traceparent.test(found)) return false;
  const bits = entropy(found);
  const digits = /\d/.test(found);
  if (/^[0-9a-f-]+$/i.test(found) && digits && /[a-f]/i.test(found)) {
    return found.replaceAll('-', '').length >= 24 && bits > randomBits.hex;
  }
  if (found.length >= longRun && isOfBothCases(found) && bits > randomBits.whatever) return true;
  if (digits && /[A-Za-z]/.test(found)) return longestMixed(found) >= 20 && bits > randomBits.mixed;
  return isOfBothCases(found) && found.length >= 28 && bits > randomBits.letters;
}

/** Words, numbers and the signs between them are no random text, however long: the longest part that mixes them. */
function longestMixed(found: string): number {
  const parts = found.split(/(?<![A-Z0-9])[-_](?=[a-z]+([-_]|$))|[-_](?=[a-z]+[-_])/);
  const mixed = parts.filter((part) => part !== undefined && /\d/.test(part) && /[A-Za-z]/.test(part));
  return Math.max(0, ...mixed.map(({ length }) => length));
}

/** Shannon's, in bits for each character. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => {
    const share = count / text.length;
    return sum - share * Math.log2(share);
  }, 0);
}

/** Most runs of one text that are decoded. */
const maximumRuns = 1_000;

/** What a text may hold in another encoding: percent-encoded, base64, hexadecimal, with escapes. */
export function embeddedTexts(text: string): string[] {
  const found: string[] = [];
  const percent = percentDecoded(text);
  if (percent !== undefined) found.push(percent);
  const escaped = text.replaceAll(/\\u([0-9a-f]{4})|\\x([0-9a-f]{2})/gi, (_, long?: string, short?: string) =>
    String.fromCharCode(Number.parseInt(long ?? short ?? '0', 16)),
  );
  if (escaped !== text) found.push(escaped);
  const runs = text.match(/[A-Za-z0-9+/_-]{12,}={0,2}/g) ?? [];
  for (const candidate of runs.slice(0, maximumRuns)) {
    const texts = [Buffer.from(candidate, 'base64').toString('utf8')];
    if (/^([0-9a-f]{2})+$/i.test(candidate)) texts.push(Buffer.from(candidate, 'hex').toString('utf8'));
    for (const decoded of texts) if (isReadable(decoded)) found.push(decoded);
  }
  return found;
}

const percentDecoded = (text: string): string | undefined => {
  if (!/%[0-9a-f]{2}/i.test(text)) return undefined;
  return text.replaceAll(/(%[0-9a-f]{2})+/gi, (bytes) =>
    Buffer.from(bytes.replaceAll('%', ''), 'hex').toString('utf8'),
  );
};

/** Bytes that are no text in this encoding decode to others, or to none. */
const isReadable = (text: string): boolean =>
  text.length >= 6 && /^[\t\n\r\x20-\x7e\u00a0-\ufffc]+$/.test(text);
