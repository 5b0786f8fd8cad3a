import { styleFor, type TextOutput } from '../terminal.ts';
import { formatDuration } from '../units.ts';

/** What the demo says. */
export class DemoOutput {
  readonly output: TextOutput;

  constructor(output: TextOutput) {
    this.output = output;
  }

  say(text: string): void {
    this.output.write(`${text}\n`);
  }

  /** A step that came out as it should. */
  done(text: string, milliseconds: number): void {
    const mark = styleFor(this.output)('green', '✔');
    this.say(`  ${mark} ${text.padEnd(58)} ${formatDuration(milliseconds).padStart(10)}`);
  }
}
