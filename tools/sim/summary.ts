// What a campaign amounts to, for people and for machines.

import Table from 'cli-table3'
import type { SeedResult } from '../../src/simulation/campaign/campaign.ts'

export interface CampaignSummary {
  readonly ok: boolean
  readonly seeds: number
  readonly failed: readonly { readonly seed: number; readonly invariant: string; readonly message: string }[]
  readonly events: number
  readonly messages: number
  readonly elections: number
  readonly committed: number
  readonly operations: number
  /** Seeds whose histories the linearizability checker gave up on. */
  readonly gaveUp: number
  readonly virtualHours: number
  readonly seconds: number
  readonly seedsPerSecond: number
  readonly eventsPerSecond: number
  readonly faults: Readonly<Record<string, number>>
}

export function summaryOf(results: readonly SeedResult[], seconds: number): CampaignSummary {
  const sum = (of: (result: SeedResult) => number): number => results.reduce((total, r) => total + of(r), 0)
  const faults: Record<string, number> = {}
  for (const result of results)
    for (const [kind, count] of result.faults) faults[kind] = (faults[kind] ?? 0) + count
  const failed = results.flatMap(({ seed, failure }) =>
    failure === null ? [] : [{ seed, invariant: failure.invariant, message: failure.message }],
  )
  const events = sum((r) => r.events)
  return {
    ok: failed.length === 0,
    seeds: results.length,
    failed,
    events,
    messages: sum((r) => r.messages),
    elections: sum((r) => r.elections),
    committed: sum((r) => r.committed),
    operations: sum((r) => r.operations),
    gaveUp: results.filter((r) => r.gaveUp).length,
    virtualHours: round(sum((r) => r.virtualMs) / 3_600_000),
    seconds: round(seconds),
    seedsPerSecond: round(results.length / seconds),
    eventsPerSecond: Math.round(events / seconds),
    faults,
  }
}

export function summaryTable(summary: CampaignSummary): string {
  const table = new Table({ style: { head: [], border: [] }, colAligns: ['left', 'right'] })
  const { failed, faults, ok: _, ...figures } = summary
  for (const [name, value] of Object.entries(figures)) table.push([name, value.toLocaleString('en-US')])
  for (const [kind, count] of Object.entries(faults).sort(([, a], [, b]) => b - a))
    table.push([`fault ${kind}`, count])
  const verdict =
    failed.length === 0
      ? 'Every seed held every invariant.'
      : `${failed.length} failed: ${failed.map(({ seed, invariant }) => `${seed} (${invariant})`).join(', ')}`
  return `${table.toString()}\n${verdict}`
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
