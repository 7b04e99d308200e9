import cliProgress from 'cli-progress'
import { formatLoadProgress, type LoadTotals } from './report.ts'
import type { TextOutput } from '../progress.ts'

/** Updates a progress display by itself until `end` is called. */
interface LoadProgress {
  end(): void
}

const BAR_EVERY_MS = 250

/**
 * Shows the progress of a load. On a terminal it draws a bar (of records or time, if one of them is limited)
 * or a single line that is redrawn; elsewhere it writes a line every `every` seconds.
 */
export function showLoadProgress(
  limits: { readonly count?: number; readonly duration?: number; readonly every: number },
  loaded: () => LoadTotals,
  output: TextOutput = process.stderr,
): LoadProgress {
  const isBar = output.isTTY === true && output === process.stderr
  return isBar ? bar(limits, loaded) : lines(limits.every * 1_000, loaded, output)
}

function bar(
  limits: { readonly count?: number; readonly duration?: number },
  loaded: () => LoadTotals,
): LoadProgress {
  const { count, duration } = limits
  const total = count ?? duration ?? 0
  const gauge = total === 0 ? '' : '{bar} {percentage} %  '
  const single = new cliProgress.SingleBar({
    format: `Sending ${gauge}{records} records  {rate} a second  {duration_formatted}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 30,
    hideCursor: true,
    stream: process.stderr,
  })
  single.start(total, 0, { records: 0, rate: 0 })
  const rate = createRateMeter()
  const draw = (): void => {
    const now = loaded()
    const payload = {
      records: now.records.toLocaleString('en-US'),
      rate: Math.round(rate(now)).toLocaleString('en-US'),
    }
    single.update(Math.min(total, count === undefined ? now.seconds : now.records), payload)
  }
  const timer = setInterval(draw, BAR_EVERY_MS)
  return {
    end: () => {
      clearInterval(timer)
      draw()
      single.stop()
    },
  }
}

function lines(everyMs: number, loaded: () => LoadTotals, output: TextOutput): LoadProgress {
  const rate = createRateMeter()
  const timer = setInterval(() => {
    const now = loaded()
    output.write(formatLoadProgress(now, rate(now)))
  }, everyMs)
  return {
    end: () => {
      clearInterval(timer)
    },
  }
}

/** Creates a meter that returns the records per second since its last call. */
function createRateMeter(): (now: LoadTotals) => number {
  let last = { records: 0, seconds: 0 }
  return (now) => {
    const seconds = now.seconds - last.seconds
    const rate = seconds <= 0 ? 0 : (now.records - last.records) / seconds
    last = now
    return rate
  }
}
