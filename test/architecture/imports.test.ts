import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { test } from 'node:test'
import { FILES, placeOf, PRODUCT } from './files.ts'
import { ALLOWED, ROOMS } from './rooms.ts'

test('The places that are guarded exist', () => {
  const places = new Set(PRODUCT.map(({ path }) => placeOf(path)))
  for (const place of Object.keys(ALLOWED)) assert.ok(places.has(place), place)
  assert.ok(FILES.filter(({ imports }) => imports.length > 0).length > 100, 'imports are found')
})

test('Imports go one way between places', () => {
  const faults = PRODUCT.flatMap(({ path, imports }) => {
    const place = placeOf(path)
    const allowed = ALLOWED[place]
    if (allowed === undefined) return []
    return imports
      .map(placeOf)
      .filter((to) => to !== place && to !== 'core' && !allowed.includes(to))
      .map((to) => `${path} imports ${to}`)
  })
  assert.deepEqual(faults, [])
})

test('Imports go one way between the rooms of a place', () => {
  const seen = new Set<string>()
  const faults = PRODUCT.flatMap(({ path, imports }) => {
    const room = dirname(path)
    const place = dirname(room)
    if (imports.length > 0) seen.add(room)
    return imports
      .map((to) => dirname(to))
      .filter((to) => to !== room && dirname(to) === place && place !== 'src' && place !== '.')
      .filter((to) => ROOMS[place]?.[basename(room)]?.includes(basename(to)) !== true)
      .map((to) => `${path} imports ${to}`)
  })
  assert.deepEqual(faults, [])
  for (const [place, rooms] of Object.entries(ROOMS))
    for (const room of Object.keys(rooms)) assert.ok(existsSync(`${place}/${room}`), `${place}/${room}`)
})

test('The rooms of a place are in an order in which each imports those before it alone', () => {
  for (const [place, rooms] of Object.entries(ROOMS)) {
    const names = Object.keys(rooms)
    for (const [index, name] of names.entries())
      for (const to of rooms[name] ?? [])
        assert.ok(names.indexOf(to) >= 0 && names.indexOf(to) < index, `${place}: ${name} → ${to}`)
  }
})

test('Only the commands import the commands, and the product imports neither tests nor benchmarks', () => {
  const faults = PRODUCT.flatMap(({ path, imports }) =>
    imports
      .filter(
        (to) => (placeOf(to) === 'cli' && placeOf(path) !== 'cli') || /^(?:test|bench|scripts)\//.test(to),
      )
      .map((to) => `${path} imports ${to}`),
  )
  assert.deepEqual(faults, [])
})

test('Every import of a file of the project names one that exists, with its extension', () => {
  const faults = PRODUCT.flatMap(({ path, imports }) =>
    imports.filter((to) => !existsSync(to)).map((to) => `${path} imports ${to}`),
  )
  assert.deepEqual(faults, [])
})

test('No imports go in a circle, types included', () => {
  const edges = new Map(PRODUCT.map(({ path, imports }) => [path, imports]))
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    else if (!done.has(path)) {
      for (const to of edges.get(path) ?? []) visit(to, [...trail, path])
      done.add(path)
    }
  }
  for (const path of edges.keys()) visit(path, [])
  assert.deepEqual(circles, [])
})

test('Only src/kafka imports kafkajs, only src/parquet and src/delta parquet-wasm, only src/storage S3', () => {
  const homes: Readonly<Record<string, readonly string[]>> = {
    kafkajs: ['src/kafka/'],
    'parquet-wasm': ['src/parquet/', 'src/delta/'],
    '@node-rs/crc32': ['src/kafka/records/', 'src/kafka/produce/', 'src/formats/avro/', 'src/delta/files/'],
    snappy: ['src/compression/'],
    'lz4-napi': ['src/compression/'],
    '@bokuweb/zstd-wasm': ['src/compression/'],
    '@aws-sdk/client-s3': ['src/storage/'],
  }
  const faults = PRODUCT.flatMap(({ path, packages }) =>
    packages
      .filter((name) => homes[name]?.some((home) => path.startsWith(home)) === false)
      .map((name) => `${path} imports ${name}`),
  )
  assert.deepEqual(faults, [])
})
