// The same from CommonJS, as Node 20.19 can: `require` of ES modules.

import quorate = require('quorate')
import client = require('quorate/client')
import inspect = require('quorate/inspect')
import brought = require('quorate/machines')
import testing = require('quorate/testing')
import machines = require('quorate/xstate')

export const bus: quorate.MemoryBus = new quorate.MemoryBus()
export const doors = [
  ...[quorate.openHost, client.connectClient, inspect.openInspector, testing.createSimulation],
  machines.replicate,
  brought.KeyValueStore,
  machines.runAsLeader,
]
