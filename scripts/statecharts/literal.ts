// A chart as one literal `createMachine({ … })` call, which Stately Studio and the editors' extensions open: they read
// literals, not modules that share pieces.

import { allCharts } from '../../src/observability/feed/charts.ts'
import type { Chart } from './charts.ts'

/** @throws Error for a chart that viewers would not be told of. */
function literalConfig({ machine }: Chart): unknown {
  const json = allCharts().get(machine.id)
  if (json === undefined) throw new Error(`The feed does not know the chart ${machine.id}.`)
  return JSON.parse(json)
}

export function toLiteral(chart: Chart): string {
  const name = `${camelCase(chart.name)}Machine`
  return [
    `// ${chart.what}`,
    `// Generated from ${chart.source} by \`npm run statecharts\`; open it in Stately Studio.`,
    '',
    "import { createMachine } from 'xstate'",
    '',
    `export const ${name} = createMachine(${JSON.stringify(literalConfig(chart), null, 2)})`,
    '',
  ].join('\n')
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
}
