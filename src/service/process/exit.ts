/** Exit codes of a process that ends without its turn; the others are in `src/cli/exit-codes.ts`. */
export const ABRUPT_EXIT = {
  /** What was read could not be committed within the deadline. */
  undrained: 1,
  /** Something was thrown that nobody expected: a bug. */
  uncaught: 5,
  /** A second signal: what shells say of a process that SIGINT ended. */
  forced: 130,
} as const
