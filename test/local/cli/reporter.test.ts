import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import { createReporter } from '../../../local/cli/reporter.ts';

function reporterOn(isTTY: boolean) {
  const written: string[] = [];
  const output = { isTTY, columns: 60, write: (text: string) => written.push(text) };
  return { reporter: createReporter(output), text: () => written.join('') };
}

describe('what npm start prints', () => {
  it('is plain lines in a pipe, one for each step that has ended', async () => {
    const { reporter, text } = reporterOn(false);
    await reporter.step('first', async (note) => note('3 of 5'));
    await expect(
      reporter.step('second', async () => {
        throw new Error('broken');
      }),
    ).rejects.toThrow('broken');
    reporter.line(`${reporter.bold('ready')} ${reporter.dim('now')}`);
    expect(text()).toMatch(/^ {2}✔ first +0\.\d s {2}3 of 5\n {2}✖ second\nready now\n$/);
  });

  it('shows every step that is under way on one line of a terminal, and what ended above it', async () => {
    const { reporter, text } = reporterOn(true);
    const { promise, resolve } = Promise.withResolvers<void>();
    const slow = reporter.step('slow', () => promise);
    await reporter.step('quick', async (note) =>
      note('a detail that is too long for the width of this terminal'),
    );
    reporter.line('a line meanwhile');
    resolve();
    await slow;
    const shown = stripVTControlCharacters(text().replaceAll('\r\u001b[2K', '\n'));
    expect(shown).toMatch(/\n {2}· slow, quick {2}0\.0 s\n/);
    expect(shown).toMatch(/\na line meanwhile\n\n {2}· slow {2}0\.\d s/);
    expect(shown.trimEnd()).toMatch(/ {2}✔ slow +0\.\d s$/);
    for (const line of shown.split('\n').filter((part) => part.includes('·'))) {
      expect(line.length).toBeLessThan(60);
    }
  });

  it('says that a step was stopped, not that it failed', async () => {
    const { reporter, text } = reporterOn(false);
    const stopped = reporter.step('long', async () => AbortSignal.abort().throwIfAborted());
    await expect(stopped).rejects.toThrow();
    expect(text()).toMatch(/^ {2}– long +stopped\n$/);
  });
});
