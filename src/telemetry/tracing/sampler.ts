import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  type Sampler,
} from '@opentelemetry/sdk-trace-node'
import type { Environment } from '../otlp.ts'

/**
 * Returns the sampler that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` select; without them, or if a value is
 * invalid, which is reported to `warn`, it samples all traces.
 */
export function samplerOf(env: Environment, warn: (message: string) => void): Sampler {
  const name = env['OTEL_TRACES_SAMPLER'] ?? ''
  const always = new AlwaysOnSampler()
  const never = new AlwaysOffSampler()
  switch (name) {
    case '':
    case 'parentbased_always_on':
      return new ParentBasedSampler({ root: always })
    case 'parentbased_always_off':
      return new ParentBasedSampler({ root: never })
    case 'parentbased_traceidratio':
      return new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratioOf(env, warn)) })
    case 'traceidratio':
      return new TraceIdRatioBasedSampler(ratioOf(env, warn))
    case 'always_on':
      return always
    case 'always_off':
      return never
    default:
      warn(`OTEL_TRACES_SAMPLER: expected one of the standard samplers, got ${name}; all traces are sampled`)
      return always
  }
}

function ratioOf(env: Environment, warn: (message: string) => void): number {
  const text = env['OTEL_TRACES_SAMPLER_ARG'] ?? ''
  const ratio = text === '' ? 1 : Number(text)
  if (ratio >= 0 && ratio <= 1) return ratio
  warn(`OTEL_TRACES_SAMPLER_ARG: expected a number from 0 to 1, got ${text}; all traces are sampled`)
  return 1
}
