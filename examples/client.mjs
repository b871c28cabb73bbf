// A client in plain JavaScript: writes that are carried out once, whatever is lost, reads at three prices, and a subscription.
//
//   node examples/client.mjs nats://127.0.0.1:4222 demo
//
// needs a group that replicates the key-value machine, as `quorate serve` starts it.
import { connectNats, isQuorateError } from 'quorate'
import { connectClient } from 'quorate/client'

const [servers = 'nats://127.0.0.1:4222', group = 'demo'] = process.argv.slice(2)

async function main() {
  // Without the signal it would wait for a server as long as it takes.
  const transport = await connectNats({ servers, id: 'example', signal: AbortSignal.timeout(5000) })
  const client = connectClient({ transport, group, timeoutMs: 10_000 })
  try {
    const session = await client.session()
    for (const word of ['one', 'two', 'three']) {
      await client.ready() // no more at once than the group can answer
      await session.apply(['append', 'words', `${word};`]) // sent until there is an answer, carried out once
    }
    const query = ['get', 'words']
    console.log('from the leader:', await client.read(query))
    console.log('from the nearest:', await client.read(query, { from: 'nearest' }))
    console.log(
      'perhaps stale:',
      await client.read(query, { level: 'local', signal: AbortSignal.timeout(1000) }),
    )
    await session.apply(['append', 'words', 'four;'])
    // How it is now, and then whatever takes its place, until somebody has seen enough.
    for await (const { value } of client.subscribe(query)) {
      console.log('heard:', value)
      if (value.endsWith('four;')) break
    }
    await session.close()
  } finally {
    client.close()
    await transport.close()
  }
}

await main().catch((error) => {
  if (!isQuorateError(error)) throw error
  console.error(`${error.code}: ${error.message} (${error.outcome})`)
  process.exitCode = 1
})
