import { formatBytes } from '../../cli/units.ts';
import type { Cell, Figure } from './report.ts';

/** A plain number with so many digits after the point. */
export const number = (value: number, digits: number): Figure => ({ value, text: value.toFixed(digits) });

/** A factor: `1.25×`. */
export const factor = (value: number): Figure => ({ value, text: `${value.toFixed(2)}×` });

/** Bytes, where they are known. */
export const bytes = (value: number | undefined): Cell =>
  value === undefined ? undefined : { value, text: formatBytes(value) };
