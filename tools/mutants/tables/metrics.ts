// Planted bugs in what a host says by HTTP: wrong numbers, wrong health, a door that is open too wide.

import type { Mutant } from '../mutant.ts'

const HTTP = ['test/observability/http/pages.test.ts', 'test/observability/http/serve-http.test.ts']
const NUMBERS = ['test/observability/metrics/metrics.test.ts']

export const METRICS_MUTANTS: readonly Mutant[] = [
  {
    name: 'a member without a leader is ready',
    file: 'observability/http/readiness.ts',
    find: 'if (leader === null) return',
    replace: "if (leader === '') return",
    tests: HTTP,
  },
  {
    name: 'the bound of the apply lag is off by one',
    file: 'observability/http/readiness.ts',
    find: 'if (lag > maxApplyLag)',
    replace: 'if (lag >= maxApplyLag)',
    tests: HTTP,
  },
  {
    name: 'pages from elsewhere are let in by any name',
    file: 'observability/http/serve-http.ts',
    find: 'if (this.#options.localOnly && !isLocalHostHeader(headers.host))',
    replace: 'if (this.#options.localOnly && headers.host === "")',
    tests: HTTP,
  },
  {
    name: 'any number of connections',
    file: 'observability/http/serve-http.ts',
    find: '    this.server.maxConnections = MAX_CONNECTIONS\n',
    replace: '',
    tests: HTTP,
  },
  {
    name: 'every method is taken for GET',
    file: 'observability/http/serve-http.ts',
    find: "if (method !== 'GET' && method !== 'HEAD')",
    replace: "if (method === 'NONE')",
    tests: HTTP,
  },
  {
    name: 'figures are gathered for each question',
    file: 'observability/http/pages.ts',
    find: 'now - this.#gathered.atMs >= FRESH_MS',
    replace: 'now - this.#gathered.atMs >= 0',
    tests: HTTP,
  },
  {
    name: 'the commit latency of a lost office is taken for one',
    file: 'actors/node/counters.ts',
    find: 'if (sample.term === term) this.commitSeconds',
    replace: 'this.commitSeconds',
    tests: NUMBERS,
  },
  {
    name: 'the bus is taken to have come back when it goes',
    file: 'host/host-figures.ts',
    find: 'if (connected && this.#wasLost)',
    replace: 'if (!connected)',
    tests: NUMBERS,
  },
  {
    name: 'a bus that came back once comes back with every word of it',
    file: 'host/host-figures.ts',
    find: 'this.#wasLost = !connected',
    replace: 'this.#wasLost ||= !connected',
    tests: NUMBERS,
  },
  {
    name: 'the bus is taken to be lost',
    file: 'host/host-figures.ts',
    find: 'busConnected: this.#transport.status().connected',
    replace: 'busConnected: this.#wasLost',
    tests: NUMBERS,
  },
  {
    name: 'failed proposals are counted as applied',
    file: 'actors/node/counters.ts',
    find: '    this.failedAfterTaken++\n',
    replace: '',
    tests: NUMBERS,
  },
  {
    name: 'buckets of a histogram are not cumulated',
    file: 'observability/metrics/prometheus.ts',
    find: 'total += count',
    replace: 'total = count',
    tests: NUMBERS,
  },
]
