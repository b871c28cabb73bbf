// Every door through `require`.

for (const path of ['', '/client', '/inspect', '/machines', '/testing', '/xstate']) {
  const door = `quorate${path}`
  console.log(door, Object.keys(require(door)).sort().join(' '))
}
console.log(require('quorate/package.json').name)
