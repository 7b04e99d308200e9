import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'
import kafkajs from 'kafkajs'
import { CODEC_NAMES } from '../../../src/compression/compression.ts'
import { registerCodecs } from '../../../src/kafka/client/codecs.ts'
import { fetchJars, javaCommand } from '../../../src/local-servers/maven.ts'
import { readToEnd } from '../reading.ts'
import { numbered, testTopic } from '../topic.ts'

/** Lines that every codec compresses, and some that none can compress. */
const LINES = Array.from(
  { length: 3_000 },
  (_, i) => `{"i":${i},"text":"${'abc'.repeat(i % 50)}${(Math.sin(i) * 1e16).toString(36)}"}`,
)

/** Writes the lines with Kafka's own producer. */
async function produceWithJava(brokers: readonly string[], topic: string, codec: string): Promise<void> {
  const child = spawn(
    javaCommand(),
    [
      '-cp',
      join(await fetchJars('kafka'), '*'),
      '-XX:TieredStopAtLevel=1',
      'org.apache.kafka.tools.ConsoleProducer',
    ]
      .concat(['--bootstrap-server', brokers.join(','), '--topic', topic])
      .concat(['--compression-codec', codec, '--producer-property', 'linger.ms=200'])
      .concat(['--producer-property', 'batch.size=200000']),
    { stdio: ['pipe', 'ignore', 'pipe'] },
  )
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  child.stdin.end(LINES.map((line) => `${line}\n`).join(''))
  const code = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(code, 0, errors)
}

for (const codec of CODEC_NAMES) {
  test(`Record batches that Kafka's own producer compressed with ${codec} are read value for value`, async () => {
    const topic = await testTopic(1)
    await produceWithJava(topic.brokers, topic.topic, codec)
    const reading = await readToEnd(topic)
    assert.deepEqual(reading.values(0), LINES)
  })
}

for (const codec of ['Snappy', 'LZ4', 'ZSTD'] as const) {
  test(`Record batches compressed here with ${codec} are accepted by the broker and read back`, async () => {
    registerCodecs(kafkajs.CompressionCodecs)
    // The broker stores with another codec, so it has decompressed ours.
    const topic = await testTopic(1, { 'compression.type': 'gzip' })
    await topic.produce(numbered(0, 500), kafkajs.CompressionTypes[codec])
    const reading = await readToEnd(topic)
    assert.deepEqual(
      reading.values(0),
      numbered(0, 500).map((one) => one.value),
    )
  })
}
