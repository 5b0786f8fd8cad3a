import { clearLine, isLive, styleFor, type TextOutput } from './terminal.ts';

export interface ProgressBar {
  /** Shows how far the work has come. `fraction` is 0 to 1, or undefined while the whole is unknown. */
  update(fraction: number | undefined, detail: string): void;
  /** Ends the bar; what comes next is written in its place. */
  end(): void;
}

/**
 * A bar that redraws itself on a terminal; in a pipe, a line whenever another quarter is done, so
 * that a log of it reads well.
 */
export function createProgressBar(output: TextOutput, title: string): ProgressBar {
  return isLive(output) ? terminalBar(output, title) : pipeBar(output, title);
}

const width = 28;

function terminalBar(output: TextOutput, title: string): ProgressBar {
  const style = styleFor(output);
  return {
    update(fraction, detail) {
      const filled = Math.round(width * Math.min(1, Math.max(0, fraction ?? 0)));
      const percent = fraction === undefined ? '   …' : `${String(Math.floor(fraction * 100)).padStart(3)}%`;
      // One line: what is longer than the terminal is wide would not be cleared again.
      const rest = `${percent}  ${detail}`.slice(
        0,
        Math.max(0, (output.columns || 80) - width - title.length - 5),
      );
      const bar = `${style('cyan', '█'.repeat(filled))}${style('dim', '░'.repeat(width - filled))}`;
      output.write(`${clearLine}  ${title} ${bar} ${rest}`);
    },
    end: () => void output.write(clearLine),
  };
}

function pipeBar(output: TextOutput, title: string): ProgressBar {
  let quarter = 0;
  return {
    update(fraction, detail) {
      const reached = Math.floor((fraction ?? 0) * 4);
      if (reached <= quarter) return;
      quarter = reached;
      output.write(`  ${title} ${String(reached * 25).padStart(3)}%  ${detail}\n`);
    },
    end() {},
  };
}
