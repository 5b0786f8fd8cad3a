import { styleText } from 'node:util';

/** The part of a stream that this needs; `process.stdout` is one. */
export interface TextOutput {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

export type Style = (format: Parameters<typeof styleText>[0], text: string) => string;

/** Goes to the begin of the line and clears it. */
export const clearLine = '\r\u001b[2K';

/** Whether lines can be redrawn on an output. */
export function isLive(output: TextOutput): boolean {
  return output.isTTY === true;
}

/** Colours for a terminal, unless `NO_COLOR` asks for none; nothing elsewhere. */
export function styleFor(output: TextOutput): Style {
  const coloured = isLive(output) && !process.env.NO_COLOR;
  return (format, text) => (coloured ? styleText(format, text, { validateStream: false }) : text);
}
