/** One part of the local runtime. Parts start in a listed order and stop in the reverse order. */
export interface Service {
  readonly name: string;
  /** Starts the part; state kept on disk by an earlier run is picked up. */
  start(): Promise<void>;
  /** Stops the part and leaves nothing behind that is not its stored state. Safe to call twice. */
  stop(): Promise<void>;
}
