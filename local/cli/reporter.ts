import { styleText } from 'node:util';

export interface Reporter {
  /** Runs one step of the start and prints a line with its outcome and duration. */
  step<T>(title: string, action: (note: (detail: string) => void) => Promise<T>): Promise<T>;
  /** Prints one line. */
  line(text?: string): void;
  bold(text: string): string;
  dim(text: string): string;
}

/** Prints for people: colour and live lines on a terminal only, plain lines elsewhere. */
export function createReporter(output: NodeJS.WriteStream): Reporter {
  const live = output.isTTY === true;
  const style = (format: Parameters<typeof styleText>[0], text: string) =>
    live ? styleText(format, text, { stream: output }) : text;
  const show = (mark: string, title: string, detail: string, end: string) => {
    if (live) output.write('\r\u001b[2K');
    output.write(`  ${mark} ${title.padEnd(34)} ${detail}${end}`);
  };

  return {
    async step(title, action) {
      const started = performance.now();
      let detail = '';
      const redraw = () => live && show(style('cyan', '·'), title, style('dim', detail), '');
      redraw();
      const timer = live ? setInterval(redraw, 200) : undefined;
      try {
        const result = await action((text) => {
          detail = text;
          redraw();
        });
        const seconds = `${((performance.now() - started) / 1000).toFixed(1)} s`;
        show(style('green', '✔'), title, `${seconds.padStart(7)}  ${style('dim', detail)}`.trimEnd(), '\n');
        return result;
      } catch (error) {
        show(style('red', '✖'), title, '', '\n');
        throw error;
      } finally {
        clearInterval(timer);
      }
    },
    line: (text = '') => void output.write(`${text}\n`),
    bold: (text) => style('bold', text),
    dim: (text) => style('dim', text),
  };
}
