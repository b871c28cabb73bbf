// Damages frames in the ways that chance and malice would: the same seed damages them the same way.

import { type Random, randomInt } from '../../../src/runtime/random.ts'

type Mutation = (frame: Uint8Array, random: Random, corpus: readonly Uint8Array[]) => Uint8Array

export function pick<T>(list: readonly T[], random: Random): T {
  const item = list[randomInt(random, 0, list.length - 1)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

const position = (frame: Uint8Array, random: Random): number =>
  randomInt(random, 0, Math.max(0, frame.length - 1))
const concat = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))

/** Heads that promise much, nest, tag or never end, and values of every wrong kind. */
const SNIPPETS: readonly Uint8Array[] = [
  'c2',
  'c3',
  'c1',
  'd81b',
  'd81c',
  'd81d',
  'd840',
  'd90102',
  'd9dfff',
  'd9d9f7', // tags
  '5affffffff',
  '5bffffffffffffffff',
  '7affffffff',
  '9affffffff',
  'baffffffff',
  '9bffffffffffffffff',
  '9a00100000',
  '9f',
  'bf',
  '5f',
  '7f',
  'ff',
  '1c',
  '5d',
  '9e',
  'f7',
  'f8ff',
  'e0', // endless, reserved, odd
  'f6',
  'f5',
  'f4',
  '20',
  '3bffffffffffffffff',
  '1bffffffffffffffff',
  '1b0020000000000000',
  '00',
  '01',
  '02',
  '03',
  'f97e00',
  'f97c00',
  'fbffefffffffffffff',
  'fb7ff8000000000000',
  'fb3ff8000000000000',
  'fb4340000000000000',
  '80',
  'a0',
  '40',
  '60',
  '616e',
  '66c3bc2e2a3e20',
  'a1616101',
  'a10102',
  '8183010203',
  '81830102',
  '83010201',
].map((text) => Uint8Array.from(Buffer.from(text, 'hex')))

const MUTATIONS: readonly Mutation[] = [
  function flipBit(frame, random) {
    const at = position(frame, random)
    frame[at] = (frame[at] ?? 0) ^ (1 << randomInt(random, 0, 7))
    return frame
  },
  function setByte(frame, random) {
    frame[position(frame, random)] = randomInt(random, 0, 255)
    return frame
  },
  (frame, random) => frame.slice(0, position(frame, random)),
  (frame, random) => frame.slice(position(frame, random)),
  function splice(frame, random, corpus) {
    const other = pick(corpus, random)
    return concat(frame.slice(0, position(frame, random)), other.slice(position(other, random)))
  },
  function insert(frame, random) {
    const at = position(frame, random)
    return concat(frame.slice(0, at), pick(SNIPPETS, random), frame.slice(at))
  },
  function overwrite(frame, random) {
    const at = position(frame, random)
    const snippet = pick(SNIPPETS, random)
    return concat(frame.slice(0, at), snippet, frame.slice(at + snippet.length))
  },
  function replaceByte(frame, random) {
    const at = position(frame, random)
    return concat(frame.slice(0, at), pick(SNIPPETS, random), frame.slice(at + 1))
  },
  function wrongVersion(frame, random) {
    frame[1] = randomInt(random, 0, 23)
    return frame
  },
  (frame, random) =>
    concat(new Uint8Array(randomInt(random, 1, 2000)).fill(pick([0x81, 0xa1, 0xc1, 0x9f], random)), frame),
  (frame) => concat(frame, frame),
]

/** A frame of the corpus with up to four injuries, or now and then noise from the start. */
export function mutate(corpus: readonly Uint8Array[], random: Random): Uint8Array {
  if (random.next() < 0.05) {
    return Uint8Array.from({ length: randomInt(random, 0, 80) }, () => randomInt(random, 0, 255))
  }
  let frame: Uint8Array = pick(corpus, random).slice()
  for (let i = randomInt(random, 0, 4); i > 0; i -= 1) frame = pick(MUTATIONS, random)(frame, random, corpus)
  return frame
}
