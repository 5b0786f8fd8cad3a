import {
  type FilesItem,
  itemBounds,
  type ListedFile,
  packBounds,
  type Segment,
  segmentBytes,
  smallBytes,
} from './model.ts';

/**
 * Divides files, as they come in the order of their keys, into work items that keep that order: each is one pack of
 * small files and a bounded number of large ones, or one segment of a very large one.
 */
export class FilesDivider {
  #files: FilesItem = [];
  #packed = 0;
  #large = 0;
  #largeBytes = 0;

  /** @returns the items that are complete by now. */
  add(file: ListedFile): FilesItem[] {
    if (file.size > segmentBytes) {
      return [...this.finish(), ...segmentsOf(file.size).map((segment) => [{ ...file, segment }])];
    }
    const small = file.size < smallBytes;
    const full =
      this.#files.length === packBounds.files ||
      (small
        ? this.#packed + file.size > packBounds.bytes
        : this.#large === itemBounds.objects || this.#largeBytes + file.size > itemBounds.bytes);
    const complete = full ? this.finish() : [];
    this.#files.push(file);
    if (small) this.#packed += file.size;
    else {
      this.#large++;
      this.#largeBytes += file.size;
    }
    return complete;
  }

  /** @returns what is left. */
  finish(): FilesItem[] {
    const files = this.#files;
    this.#files = [];
    this.#packed = 0;
    this.#large = 0;
    this.#largeBytes = 0;
    return files.length === 0 ? [] : [files];
  }
}

/** The segments that a file of so many bytes is stored in. */
export function segmentsOf(size: number): Segment[] {
  const of = Math.ceil(size / segmentBytes);
  return Array.from({ length: of }, (_, number) => {
    const from = number * segmentBytes;
    return { number, of, from, bytes: Math.min(segmentBytes, size - from) };
  });
}

/** How many objects an item is stored as. */
export const objectsOfItem = (item: FilesItem): number =>
  item.filter(({ size }) => size >= smallBytes).length + (item.some(({ size }) => size < smallBytes) ? 1 : 0);
