// Every door through `require`.

for (const door of ['quorate', 'quorate/client', 'quorate/inspect', 'quorate/testing', 'quorate/xstate'])
  console.log(door, Object.keys(require(door)).sort().join(' '))
console.log(require('quorate/package.json').name)
