/** How long one instance may take to tell what it counts, in milliseconds. */
export const insightsTimeoutMs = 10_000;
