// What a metric is: its name and meaning, and how it is read off the figures of a host when somebody asks.

import type { HistogramFigures } from '../../runtime/histogram.ts'
import type { HostFigures, NodeFigures } from '../figures.ts'

export type Labels = Readonly<Record<string, string>>

export interface Sample<Value = number> {
  readonly labels: Labels
  readonly value: Value
}

/** All that one answer is made from. */
export interface Moment {
  readonly figures: HostFigures
  /** How late timers of this process have been since somebody asked last, in seconds; by quantile. */
  readonly loopDelay: Readonly<Record<string, number>>
}

interface Described {
  readonly name: string
  readonly help: string
  readonly labels: readonly string[]
}

export interface NumberMetric extends Described {
  readonly type: 'gauge' | 'counter'
  read(moment: Moment): readonly Sample[]
}

export interface HistogramMetric extends Described {
  readonly type: 'histogram'
  read(moment: Moment): readonly Sample<HistogramFigures>[]
}

export type Metric = NumberMetric | HistogramMetric

/** Null: not known now, so nothing is said. */
type Reading = number | boolean | null

/** A number of each group. */
export function ofGroup(
  type: NumberMetric['type'],
  name: string,
  help: string,
  read: (node: NodeFigures) => Reading,
): NumberMetric {
  return {
    ...{ type, name, help, labels: ['group'] },
    read: ({ figures }) =>
      figures.nodes.flatMap((node) => {
        const value = read(node)
        return value === null ? [] : [{ labels: { group: node.status.group }, value: Number(value) }]
      }),
  }
}

/** Several numbers of each group, told apart by labels. */
export function inGroup(
  type: NumberMetric['type'],
  name: string,
  labels: readonly string[],
  help: string,
  read: (node: NodeFigures) => readonly Sample[],
): NumberMetric {
  return {
    ...{ type, name, help, labels: ['group', ...labels] },
    read: ({ figures }) =>
      figures.nodes.flatMap((node) =>
        read(node).map(({ labels: own, value }) => ({ labels: { group: node.status.group, ...own }, value })),
      ),
  }
}

export function histogramOfGroup(
  name: string,
  help: string,
  read: (node: NodeFigures) => HistogramFigures,
): HistogramMetric {
  return {
    ...{ type: 'histogram', name, help, labels: ['group'] },
    read: ({ figures }) =>
      figures.nodes.map((node) => ({ labels: { group: node.status.group }, value: read(node) })),
  }
}

/** A number of the process. */
export function ofHost(
  type: NumberMetric['type'],
  name: string,
  help: string,
  read: (figures: HostFigures) => Reading,
): NumberMetric {
  return {
    ...{ type, name, help, labels: [] },
    read: ({ figures }) => {
      const value = read(figures)
      return value === null ? [] : [{ labels: {}, value: Number(value) }]
    },
  }
}

export function histogramOfHost(
  name: string,
  help: string,
  read: (figures: HostFigures) => HistogramFigures | null,
): HistogramMetric {
  return {
    ...{ type: 'histogram', name, help, labels: [] },
    read: ({ figures }) => {
      const value = read(figures)
      return value === null ? [] : [{ labels: {}, value }]
    },
  }
}

export function sampleOf(value: number, labels: Labels): Sample {
  return { labels, value }
}
