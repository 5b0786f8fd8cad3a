/**
 * Whether `text` matches a pattern in which `*` stands for any number of characters and `?` for one.
 * Takes time proportional to the product of the lengths at worst, whatever the pattern.
 */
export function matchesGlob(pattern: string, text: string): boolean {
  let patternIndex = 0;
  let textIndex = 0;
  let star = -1;
  let starText = 0;
  while (textIndex < text.length) {
    const character = pattern[patternIndex];
    if (character === '*') {
      star = patternIndex;
      starText = textIndex;
      patternIndex += 1;
    } else if (character !== undefined && (character === '?' || character === text[textIndex])) {
      patternIndex += 1;
      textIndex += 1;
    } else if (star >= 0) {
      // The last star takes one character more.
      patternIndex = star + 1;
      starText += 1;
      textIndex = starText;
    } else {
      return false;
    }
  }
  while (pattern[patternIndex] === '*') patternIndex += 1;
  return patternIndex === pattern.length;
}

/** Matches two ARNs part by part, so that a star does not reach over a colon of the first five. */
export function matchesArn(pattern: string, arn: string): boolean {
  const patterns = arnParts(pattern);
  const parts = arnParts(arn);
  return (
    patterns.length === parts.length && parts.every((part, index) => matchesGlob(patterns[index] ?? '', part))
  );
}

function arnParts(arn: string): string[] {
  const parts = arn.split(':');
  return parts.length <= 6 ? parts : [...parts.slice(0, 5), parts.slice(5).join(':')];
}
