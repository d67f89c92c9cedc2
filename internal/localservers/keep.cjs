// Preloaded into kinesalite, which would end when a client breaks a call off:
// the source does so whenever it is closed.
process.on('uncaughtException', (error) => {
  if (error.code === 'ECONNRESET') return
  console.error(error)
  process.exit(1)
})
