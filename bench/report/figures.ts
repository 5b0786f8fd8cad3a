import { formatBytes } from '../../cli/units.ts';
import type { Cell, Figure } from './report.ts';

/** A plain number with so many digits after the point. */
export const number = (value: number, digits: number): Figure => ({ value, text: value.toFixed(digits) });

/** MB/s of so many bytes a second; small ones with a digit after the point. */
export const speed = (bytesPerSecond: number): Figure => {
  const value = bytesPerSecond / 1e6;
  return number(value, value < 10 ? 1 : 0);
};

/** A factor: `1.25×`. */
export const factor = (value: number): Figure => ({ value, text: `${value.toFixed(2)}×` });

/** Bytes, where they are known. */
export const bytes = (value: number | undefined): Cell =>
  value === undefined ? undefined : { value, text: formatBytes(value) };
