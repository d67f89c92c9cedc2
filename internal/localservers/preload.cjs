// Preloaded into the Node.js servers (node --require). They would listen on
// every address of the machine: here they listen on loopback only. And
// kinesis-local, told to end, would wait half a minute for its clients to hang
// up before it saves its streams: here it hangs up on them.
const net = require('net')

const graceMs = 100 // in which the server gets to see the clients it has just taken
const listen = net.Server.prototype.listen
const servers = new Set()
const clients = new Set()

net.Server.prototype.listen = function (first, ...rest) {
  servers.add(this)
  this.on('connection', (client) => {
    clients.add(client)
    client.on('close', () => clients.delete(client))
  })
  const options = typeof first === 'object' && first !== null ? first : { port: Number(first) }
  const callback = rest.find((argument) => typeof argument === 'function')
  return listen.call(this, { ...options, host: '127.0.0.1' }, callback)
}

process.on('SIGTERM', () => {
  for (const server of servers) server.maxConnections = -1 // take no more
  setTimeout(() => {
    for (const client of clients) client.destroy(new Error('the server ends'))
    if (process.listenerCount('SIGTERM') === 1) process.exit() // nobody else does
  }, graceMs)
})
