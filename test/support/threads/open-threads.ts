import { openThreads, type Threads, type ThreadsOptions } from '../../../src/threads/threads.ts'

/** Starts threads, also in a test that runs from its sources. */
export function openTestThreads(options: ThreadsOptions): Promise<Threads> {
  if (!import.meta.url.endsWith('.ts')) return openThreads(options)
  return openThreads({ program: new URL('typescript-program.mjs', import.meta.url), ...options })
}
