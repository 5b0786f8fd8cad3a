/** What the name of something secret has in it, in whatever case and however its words are joined. */
const secretWords = [
  'password',
  'passwd',
  'passphrase',
  'passcode',
  'pwd',
  'secret',
  'token',
  'credential',
  'apikey',
  'accesskey',
  'privatekey',
  'signingkey',
  'encryptionkey',
  'sharedkey',
  'masterkey',
  'authkey',
  'authorization',
  'bearer',
  'cookie',
  'signature',
  'pepper',
  'salt',
  'hash',
  'connectionstring',
  'otp',
];

/** Names that end so tell of a secret, and are none: where it is, how many there are, since when. */
const telling =
  /(arn|id|ids|name|names|count|days|hours|minutes|seconds|ms|at|until|version|enabled|length|bytes|bucket|algorithm|type|permin|perminute)$/;
/** Of these even what tells is left out: their last word may be part of another. */
const always = /password|passwd|passphrase|privatekey/;

/** Letters that are written for others, as in `p4ssw0rd`. */
const plain: Readonly<Record<string, string>> = {
  0: 'o',
  1: 'i',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  $: 's',
  '@': 'a',
};

/** Whether what stands under this name is secret. */
export function isSecretName(name: string): boolean {
  const lower = decoded(name).normalize('NFKC').toLowerCase();
  const letters = lower.replaceAll(/[^\p{L}\p{N}]/gu, '');
  const spelled = lower
    .replaceAll(/[013457$@]/g, (sign) => plain[sign] ?? '')
    .replaceAll(/[^\p{L}\p{N}]/gu, '');
  if (![letters, spelled].some((text) => secretWords.some((word) => has(text, word)))) return false;
  return always.test(letters) || always.test(spelled) || !telling.test(letters);
}

/** `otp`, `salt`, `pwd` and `hash` are parts of many words. */
function has(text: string, word: string): boolean {
  if (word === 'otp') return /(^|one|totp)otp|totp/.test(text);
  if (word === 'salt') return /salt(?!lake)/.test(text);
  return text.includes(word);
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
