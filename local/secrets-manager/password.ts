import { randomInt } from 'node:crypto';
import * as z from 'zod';

const flag = z.boolean().default(false);

/** How to make up a password; members as in `AWS::SecretsManager::Secret`'s `GenerateSecretString`. */
export const generateSchema = z.strictObject({
  PasswordLength: z.int().min(1).max(4096).default(32),
  ExcludeCharacters: z.string().max(4096).default(''),
  ExcludeLowercase: flag,
  ExcludeUppercase: flag,
  ExcludeNumbers: flag,
  ExcludePunctuation: flag,
  IncludeSpace: flag,
  /** At least one character of each kind that is not excluded. */
  RequireEachIncludedType: z.boolean().default(true),
  /** A JSON object that gets the password under `GenerateStringKey`. */
  SecretStringTemplate: z.string().optional(),
  GenerateStringKey: z.string().optional(),
});

export type GenerateSecretString = z.input<typeof generateSchema>;

/** A secret string made of random characters, within a template if there is one. */
export function generateSecretString(settings: GenerateSecretString): string {
  const parsed = generateSchema.parse(settings);
  const password = generatePassword(parsed);
  const { SecretStringTemplate: template, GenerateStringKey: key } = parsed;
  if (template === undefined && key === undefined) return password;
  if (template === undefined || key === undefined) {
    throw new Error('SecretStringTemplate and GenerateStringKey go together');
  }
  return JSON.stringify({ ...z.record(z.string(), z.json()).parse(JSON.parse(template)), [key]: password });
}

function generatePassword(settings: z.output<typeof generateSchema>): string {
  const kinds = [
    settings.ExcludeLowercase ? '' : 'abcdefghijklmnopqrstuvwxyz',
    settings.ExcludeUppercase ? '' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    settings.ExcludeNumbers ? '' : '0123456789',
    settings.ExcludePunctuation ? '' : '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
    settings.IncludeSpace ? ' ' : '',
  ]
    .map((characters) =>
      [...characters].filter((character) => !settings.ExcludeCharacters.includes(character)),
    )
    .filter((characters) => characters.length > 0);
  const all = kinds.flat();
  if (all.length === 0) throw new Error('Every character is excluded from the password');
  const required = settings.RequireEachIncludedType ? kinds : [];
  if (required.length > settings.PasswordLength)
    throw new Error('The password is too short for every kind of character');
  const characters = required.map(pick);
  while (characters.length < settings.PasswordLength) characters.push(pick(all));
  return shuffle(characters).join('');
}

function pick(characters: readonly string[]): string {
  return characters[randomInt(characters.length)] ?? '';
}

function shuffle(characters: readonly string[]): string[] {
  const result = [...characters];
  for (let index = result.length - 1; index > 0; index -= 1) {
    const other = randomInt(index + 1);
    [result[index], result[other]] = [result[other] ?? '', result[index] ?? ''];
  }
  return result;
}
