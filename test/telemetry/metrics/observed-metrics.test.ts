import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMetrics } from '../../../src/telemetry/metrics/metrics.ts'
import { ObservedMetrics } from '../../../src/telemetry/metrics/observed-metrics.ts'

test('Label sets that are no longer reported are missing in the next collection', async () => {
  const pipe = await startMetrics({}, true)
  let topics = ['a', 'b']
  pipe.observe('kafka_delta.buffered', (tell) => topics.forEach((topic) => tell(1, { topic })))
  const told = async (): Promise<string[]> =>
    [...((await pipe.prometheus?.()) ?? '').matchAll(/^kafka_delta_buffered\{topic="(\w+)"\} 1$/gm)].map(
      ([, topic = '']) => topic,
    )
  assert.deepEqual(await told(), ['a', 'b'])
  topics = ['b']
  assert.deepEqual(await told(), ['b'])
  await pipe.shutdown()
})

test('A metric has at most the allowed label sets, and the omitted ones are counted', async () => {
  const readings = new ObservedMetrics('test', 3)
  readings.add('kafka_delta.lag', (tell) => {
    for (let partition = 0; partition < 10; partition++) tell(partition, { topic: 't', partition })
  })
  const { resourceMetrics } = await readings.collect()
  const points = new Map(
    resourceMetrics.scopeMetrics[0]?.metrics.map(({ descriptor, dataPoints }) => [
      descriptor.name,
      dataPoints,
    ]),
  )
  assert.equal(points.get('kafka_delta.lag')?.length, 3)
  assert.equal(points.get('kafka_delta.metrics.omitted')?.[0]?.value, 7)
})

test('A metric that cannot be observed does not affect the others', async () => {
  const readings = new ObservedMetrics('test')
  readings.add('kafka_delta.ready', () => {
    throw new Error('no')
  })
  readings.add('kafka_delta.budget', (tell) => tell(5))
  const { resourceMetrics, errors } = await readings.collect()
  assert.deepEqual(
    resourceMetrics.scopeMetrics[0]?.metrics.map(({ descriptor }) => descriptor.name),
    ['kafka_delta.budget', 'kafka_delta.metrics.omitted'],
  )
  assert.equal(errors.length, 1)
})
