import { clearLine, isLive, styleFor, type TextOutput } from '../../cli/terminal.ts';

export interface Reporter {
  /** Runs one step of the start and prints a line with its outcome and duration. Steps may overlap. */
  step<T>(title: string, action: (note: (detail: string) => void) => Promise<T>): Promise<T>;
  /** Prints one line. */
  line(text?: string): void;
  bold(text: string): string;
  dim(text: string): string;
}

interface Step {
  title: string;
  detail: string;
  started: number;
}

/** Prints for people: on a terminal with colour and a line of what is under way, else plain lines. */
export function createReporter(output: TextOutput): Reporter {
  const live = isLive(output);
  const style = styleFor(output);
  const active: Step[] = [];
  let timer: NodeJS.Timeout | undefined;

  const showActive = () => {
    const [first] = active;
    if (!live || first === undefined) return;
    const titles = active.map(({ title, detail }) => (detail === '' ? title : `${title}: ${detail}`));
    // One line: what is longer than the terminal is wide would not be cleared again.
    const text = `${titles.join(', ')}  ${seconds(first.started)}`.slice(0, (output.columns || 80) - 5);
    output.write(`${clearLine}  ${style('cyan', '·')} ${style('dim', text)}`);
  };
  const print = (text: string) => {
    output.write(`${live ? clearLine : ''}${text}\n`);
    showActive();
  };
  const begin = (title: string): Step => {
    const step = { title, detail: '', started: performance.now() };
    active.push(step);
    if (live) timer ??= setInterval(showActive, 200).unref();
    showActive();
    return step;
  };
  const end = (step: Step, mark: string, outcome: string) => {
    active.splice(active.indexOf(step), 1);
    if (active.length === 0) {
      clearInterval(timer);
      timer = undefined;
    }
    print(`  ${mark} ${step.title.padEnd(34)} ${outcome}`.trimEnd());
  };

  return {
    async step(title, action) {
      const step = begin(title);
      try {
        const result = await action((detail) => {
          step.detail = detail;
          showActive();
        });
        end(step, style('green', '✔'), `${seconds(step.started).padStart(7)}  ${style('dim', step.detail)}`);
        return result;
      } catch (error) {
        const stopped = isAbort(error);
        end(step, stopped ? style('dim', '–') : style('red', '✖'), stopped ? 'stopped' : '');
        throw error;
      }
    },
    line: (text = '') => print(text),
    bold: (text) => style('bold', text),
    dim: (text) => style('dim', text),
  };
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

function isAbort(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
}
