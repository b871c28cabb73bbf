// The layout of src as a list of levels: the law of test/tidy/layers.test.ts, shown in docs/architecture.md.

/** From the top down. A file may import what is on its own level or below; never what is above. */
export const LEVELS: readonly (readonly string[])[] = [
  ['src/index.ts'],
  ['src/testing.ts', 'src/testing/', 'src/simulation/'],
  ['src/cli/'],
  ['src/machines/'],
  ['src/offline/'],
  ['src/host/open-host.ts'],
  ['src/host/raft-node.ts'],
  ['src/host/'],
  ['src/client.ts'],
  ['src/client/'],
  ['src/services/'],
  ['src/observability/feed/'],
  ['src/protocol/'],
  ['src/api.ts'],
  ['src/observability/'],
  ['src/actors/'],
  ['src/log/'],
  ['src/state-machine.ts', 'src/status.ts'],
  ['src/storage/'],
  ['src/options.ts'],
  ['src/transport/'],
  ['src/errors.ts'],
  ['src/runtime/'],
  ['src/rules/'],
]
