/** Values reported of one metric, as a part of the runtime or an EMF line reports them. */
export interface MetricDatum {
  namespace: string;
  name: string;
  dimensions: Readonly<Record<string, string>>;
  /** One value, or several that belong to the same moment. */
  values: readonly number[];
  /** How often each value was seen; default once. */
  counts?: readonly number[];
  /** Default `None`. */
  unit?: string;
  /** Milliseconds since the epoch. */
  timestamp: number;
  /** Whether points of single seconds are kept too; default false. */
  highResolution?: boolean;
}
