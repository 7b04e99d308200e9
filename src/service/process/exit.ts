/** Lists the exit codes of a process that stops abruptly; all others are in `src/service/process/exit-codes.ts`. */
export const ABRUPT_EXIT = {
  /** The shutdown deadline passed before everything that was read was committed. */
  undrained: 1,
  /** An unexpected error was thrown and not caught: a bug. */
  uncaught: 5,
  /** A second signal arrived; shells report the same code for a process that SIGINT ended. */
  forced: 130,
} as const
