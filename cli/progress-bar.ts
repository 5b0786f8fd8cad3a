/** The part of a stream that a bar needs; `process.stdout` is one. */
export interface ProgressOutput {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export interface ProgressBar {
  /** Shows how far the work has come. `fraction` is 0 to 1, or undefined while the whole is unknown. */
  update(fraction: number | undefined, detail: string): void;
  /** Ends the bar with a last line. */
  end(line: string): void;
}

/**
 * A bar that redraws itself on a terminal; in a pipe, a line whenever another quarter is done, so
 * that a log of it reads well.
 */
export function createProgressBar(output: ProgressOutput, title: string): ProgressBar {
  return output.isTTY === true ? terminalBar(output, title) : pipeBar(output, title);
}

function terminalBar(output: ProgressOutput, title: string): ProgressBar {
  const width = 28;
  return {
    update(fraction, detail) {
      const filled = Math.round(width * Math.min(1, Math.max(0, fraction ?? 0)));
      const bar = `${'█'.repeat(filled)}${'░'.repeat(width - filled)}`;
      const percent = fraction === undefined ? '   …' : `${String(Math.floor(fraction * 100)).padStart(3)}%`;
      const line = `${title} ${bar} ${percent}  ${detail}`.slice(0, (output.columns || 80) - 1);
      output.write(`\r\u001b[2K${line}`);
    },
    end: (line) => void output.write(`\r\u001b[2K${line}\n`),
  };
}

function pipeBar(output: ProgressOutput, title: string): ProgressBar {
  let quarter = 0;
  return {
    update(fraction, detail) {
      const reached = Math.floor((fraction ?? 0) * 4);
      if (reached <= quarter) return;
      quarter = reached;
      output.write(`${title} ${reached * 25}%  ${detail}\n`);
    },
    end: (line) => void output.write(`${line}\n`),
  };
}
