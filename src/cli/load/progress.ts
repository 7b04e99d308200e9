import cliProgress from 'cli-progress'
import { progressText, type Loaded } from './report.ts'
import type { Output } from '../progress.ts'

/** A display that goes on by itself until it is ended. */
export interface LoadProgress {
  end(): void
}

const BAR_EVERY_MS = 250

/**
 * Shows how a load goes on: on a terminal by a bar (of records or of time, where one of them has an end) or by a line that
 * redraws itself, elsewhere by a line every `every` seconds.
 */
export function showLoad(
  limits: { readonly count?: number; readonly duration?: number; readonly every: number },
  loaded: () => Loaded,
  output: Output = process.stderr,
): LoadProgress {
  const isBar = output.isTTY === true && output === process.stderr
  return isBar ? bar(limits, loaded) : lines(limits.every * 1_000, loaded, output)
}

function bar(
  limits: { readonly count?: number; readonly duration?: number },
  loaded: () => Loaded,
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
  const rate = rates()
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

function lines(everyMs: number, loaded: () => Loaded, output: Output): LoadProgress {
  const rate = rates()
  const timer = setInterval(() => {
    const now = loaded()
    output.write(progressText(now, rate(now)))
  }, everyMs)
  return {
    end: () => {
      clearInterval(timer)
    },
  }
}

/** Records a second since the last call, smoothed over no more than that. */
function rates(): (now: Loaded) => number {
  let last = { records: 0, seconds: 0 }
  return (now) => {
    const seconds = now.seconds - last.seconds
    const rate = seconds <= 0 ? 0 : (now.records - last.records) / seconds
    last = now
    return rate
  }
}
