/** Formats a double as a JSON number, or as a string if JSON has no number for it. */
export function formatDouble(value: number): string {
  if (!Number.isFinite(value)) return `"${value}"`
  return Object.is(value, -0) ? '-0.0' : String(value)
}
