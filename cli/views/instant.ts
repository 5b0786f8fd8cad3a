/** An instant of the API for people, in UTC: `2026-11-21 14:33`. */
export function formatInstant(instant: string): string {
  return instant.slice(0, 16).replace('T', ' ');
}
