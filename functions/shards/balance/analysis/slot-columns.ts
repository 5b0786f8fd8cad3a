import type { SlotFound } from './model.ts';

/** Well under what an item may have, 400 KB. */
const mostBytes = 300_000;

const bytesOf = (kinds: number) => 4 + 8 * (kinds + 2);

/**
 * Numbers of slots in few bytes, cut into pieces that each fit an item: the slots as numbers of 32 bits, then a column of
 * 64-bit floating-point numbers for each kind of rows, for bytes and for load.
 */
export function packSlots(slots: readonly SlotFound[], kinds: number): Uint8Array[] {
  const perPart = Math.floor(mostBytes / bytesOf(kinds));
  const parts: Uint8Array[] = [];
  for (let from = 0; from < slots.length; from += perPart) {
    parts.push(pack(slots.slice(from, from + perPart), kinds));
  }
  return parts;
}

function pack(slots: readonly SlotFound[], kinds: number): Uint8Array {
  const bytes = new Uint8Array(slots.length * bytesOf(kinds));
  const view = new DataView(bytes.buffer);
  slots.forEach(({ slot, rows, bytes: size, loadPerSecond }, index) => {
    view.setInt32(4 * index, slot, true);
    const columns = [...Array.from({ length: kinds }, (_, kind) => rows[kind] ?? 0), size, loadPerSecond];
    columns.forEach((value, column) => {
      view.setFloat64(4 * slots.length + 8 * (column * slots.length + index), value, true);
    });
  });
  return bytes;
}

/** Reads one piece back. @throws RangeError when it is none of so many kinds. */
export function unpackSlots(bytes: Uint8Array, kinds: number): SlotFound[] {
  const count = bytes.byteLength / bytesOf(kinds);
  if (!Number.isInteger(count))
    throw new RangeError(`${bytes.byteLength} bytes are no slots of ${kinds} kinds`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = (column: number, index: number) =>
    view.getFloat64(4 * count + 8 * (column * count + index), true);
  return Array.from({ length: count }, (_, index) => ({
    slot: view.getInt32(4 * index, true),
    rows: Array.from({ length: kinds }, (__, kind) => value(kind, index)),
    bytes: value(kinds, index),
    loadPerSecond: value(kinds + 1, index),
  }));
}
