import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseJmesPath } from '../../config/transforms/expression.ts'
import type { DataType, StructType } from '../../src/core/schema.ts'
import { typeOfExpression } from '../../src/transforms/types.ts'
import { structOf } from '../support/flow/batches.ts'

const list = (elementType: DataType): DataType => ({ type: 'array', elementType, containsNull: true })

const SCHEMA = structOf({
  n: 'long',
  i: 'integer',
  price: 'double',
  ratio: 'float',
  amount: 'decimal(10,2)',
  text: 'string',
  ok: 'boolean',
  counts: list('long'),
  prices: list('double'),
  names: list('string'),
})

function typeOf(text: string, schema: StructType | null = SCHEMA): DataType | undefined {
  const parsed = parseJmesPath(text)
  assert.ok('node' in parsed, text)
  return typeOfExpression(parsed.node, schema ?? undefined)
}

test('Arithmetic gives integers only for integers, and doubles where a fraction is possible', () => {
  const types: Readonly<Record<string, DataType | undefined>> = {
    'n + `1`': 'long',
    'i * n': 'long',
    '-n': 'long',
    'n % i': 'long',
    'n // i': 'long',
    'price * `2`': 'double',
    '`2` - price': 'double',
    'ratio + n': 'double',
    'amount * n': 'double',
    'n * `1.5`': 'double',
    'n / i': 'double',
    '-price': 'double',
    '(n + `1`) * price': 'double',
    'unknown * `1.5`': 'double',
    'unknown / `2`': 'double',
    'unknown + n': undefined,
    'unknown * unknown': undefined,
  }
  for (const [text, type] of Object.entries(types)) assert.equal(typeOf(text), type, text)
})

test('Functions of numbers give doubles unless their arguments are integers', () => {
  const types: Readonly<Record<string, DataType | undefined>> = {
    'avg(counts)': 'double',
    'avg(unknown)': 'double',
    'sum(counts)': 'long',
    'sum(prices)': 'double',
    'sum(unknown)': 'double',
    'max(counts)': 'long',
    'min(prices)': 'double',
    'max(names)': 'string',
    'max(unknown)': undefined,
    'abs(n)': 'long',
    'abs(price)': 'double',
    'to_number(n)': 'long',
    'to_number(price)': 'double',
    'to_number(text)': undefined,
    'length(counts)': 'long',
  }
  for (const [text, type] of Object.entries(types)) assert.equal(typeOf(text), type, text)
})

test('A choice between an integer and a double is a double', () => {
  const types: Readonly<Record<string, DataType | undefined>> = {
    'price || `0`': 'double',
    'default(price, `0`)': 'double',
    'ok ? n : `0.5`': 'double',
    'n || `0`': 'long',
    'default(i, n)': 'long',
    'amount || `0`': undefined,
    'n || text': undefined,
    'ok && price': undefined,
    "default(text, 'x')": 'string',
  }
  for (const [text, type] of Object.entries(types)) assert.equal(typeOf(text), type, text)
})

test('Without a schema, types follow from the expression alone', () => {
  assert.equal(typeOf('price', null), undefined)
  assert.equal(typeOf('price * `1.5`', null), 'double')
  assert.equal(typeOf('price * `2`', null), undefined)
  assert.equal(typeOf('avg(prices)', null), 'double')
  assert.equal(typeOf('`1` + `2`', null), 'long')
})
