import { describe, expect, test } from 'vitest'
import { Raffle, tryOut } from '../../examples/test-your-machine.ts'
import { read } from './support.ts'

/** What the page warns of: chance that is drawn anew on every member. */
class UnfairRaffle extends Raffle {
  protected override luck(): number {
    return Math.random()
  }
}

describe('the example of docs/testing-your-state-machine.md', () => {
  test.each([1, 2, 3, 4, 5])('a sound machine survives seed %i', { timeout: 60_000 }, async (seed) => {
    expect(await tryOut(seed, () => new Raffle())).toBeGreaterThan(0)
  })

  test('a machine with chance of its own is found, with the index at which members differ', async () => {
    // With 1 to 4 tickets two members may draw the same by accident; a whole run of accidents would be a wonder.
    const failure = tryOut(1, () => new UnfairRaffle())
    await expect(failure).rejects.toThrow(/^INV-7: The state machine is not deterministic: after entry \d+ /)
    await expect(failure).rejects.toMatchObject({
      invariant: 'INV-7',
      evidence: { index: expect.any(Number) },
    })
  })

  test('is shown on the page as it is', () => {
    expect(read('docs/testing-your-state-machine.md')).toContain(
      `\`\`\`ts\n${read('examples/test-your-machine.ts')}\`\`\``,
    )
  })
})
