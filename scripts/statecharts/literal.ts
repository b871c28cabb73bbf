// A chart as one literal `createMachine({ … })` call, which Stately Studio and the editors' extensions open: they read
// literals, not modules that share pieces.

import type { Chart } from './charts.ts'

/** Names of guards, actions, delays and actors stay; what they do does not belong here. */
export function literalConfig({ machine }: Chart): unknown {
  return JSON.parse(JSON.stringify(machine.config, (key, value) => keep(key, value)))
}

function keep(key: string, value: unknown): unknown {
  // Contexts are made of live objects; so are the inputs of actors.
  if (key === 'context' || key === 'input') return undefined
  return typeof value === 'function' ? { type: value.name } : value
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
