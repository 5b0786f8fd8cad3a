import { setFlagsFromString } from 'node:v8';

/**
 * Buffers of sockets, zstd and ciphers are memory outside the heap. By default V8 marks the whole heap each time that a fixed
 * amount of them has come, although nearly all are gone already: a third of the CPU time of a chunk. With this it
 * collects when heap and buffers together have grown by a factor. The flag only moves that limit, so it is safe to set
 * while the process runs.
 */
setFlagsFromString('--external-memory-accounted-in-global-limit');
